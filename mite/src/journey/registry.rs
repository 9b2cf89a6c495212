//! Journeys that `#[journey]` marked, by name.

use super::{
    DataType, Definition, Journey, Runnable,
    lookup::{self, DuplicateName, LookupError, Registered},
};

/// A journey and where it is.
#[derive(Clone, Copy, Debug)]
pub struct JourneyEntry {
    /// Where it is, and what it says of itself.
    pub definition: Definition,
    data_type: fn() -> DataType,
    runnable: Runnable,
}

impl JourneyEntry {
    /// The entry of `J`; the macro submits it.
    pub const fn new<J: Journey>(definition: Definition) -> Self {
        Self {
            definition,
            data_type: DataType::of::<J::Data>,
            runnable: Runnable::of::<J>(),
        }
    }

    /// What a run of it takes.
    pub fn data_type(&self) -> DataType {
        (self.data_type)()
    }

    /// Whether a run of it takes any data.
    pub fn takes_data(&self) -> bool {
        self.data_type() != DataType::of::<()>()
    }
}

impl From<&JourneyEntry> for Runnable {
    fn from(entry: &JourneyEntry) -> Self {
        entry.runnable
    }
}

impl Registered for JourneyEntry {
    const KIND: &'static str = "journey";

    fn definition(&self) -> Definition {
        self.definition
    }
}

inventory::collect!(JourneyEntry);

/// Every journey of this program, in order of name.
pub(crate) fn journeys() -> Vec<&'static JourneyEntry> {
    lookup::all()
}

/// The journey of that name, or the one whose path ends with it.
pub(crate) fn find_journey(name: &str) -> Result<&'static JourneyEntry, LookupError> {
    lookup::find(name)
}

/// Makes sure that no two journeys have one name.
pub(crate) fn check_duplicates() -> Result<(), DuplicateName> {
    lookup::check_unique::<JourneyEntry>()
}
