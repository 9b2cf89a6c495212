//! The data of a journey: its type, the same as its pool hands out.

use std::{
    any::{TypeId, type_name},
    fmt,
};

/// Is the same type as `T`.
///
/// A bound `Item = J::Data` would do the same, but a compiler error about it speaks of associated
/// types. This one names the two types.
#[diagnostic::on_unimplemented(
    message = "the pool hands out `{Self}`, the journey takes `{T}`",
    label = "this pool hands out `{Self}`",
    note = "a journey's data is what it takes after the context: nothing is `()`, several \
            arguments are a tuple"
)]
pub trait Is<T> {
    /// This, as the type that it is.
    fn into_data(self) -> T;
}

impl<T> Is<T> for T {
    fn into_data(self) -> T {
        self
    }
}

/// A type of data, to be compared and shown.
#[derive(Clone, Copy)]
pub struct DataType {
    id: TypeId,
    name: &'static str,
}

impl DataType {
    /// The type `T`.
    pub fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }
}

impl PartialEq for DataType {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for DataType {}

impl fmt::Display for DataType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl fmt::Debug for DataType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}
