//! Typed slots, filled at first use.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    fmt,
    rc::Rc,
};

use smallvec::SmallVec;

use super::Context;

/// Something that attaches itself to the [`Context`] when it is first asked for: a client for
/// another protocol, a session, a cache.
///
/// ```
/// use std::cell::Cell;
/// use mite::{Context, Extension, journey};
///
/// #[derive(Default)]
/// struct Clicks(Cell<u32>);
///
/// impl Extension for Clicks {
///     fn attach(_: &Context) -> Self { Self::default() }
/// }
///
/// #[journey]
/// async fn click(ctx: &Context) -> mite::Result {
///     let clicks = ctx.extension::<Clicks>();
///     clicks.0.set(clicks.0.get() + 1);
///     mite::ensure!(ctx.extension::<Clicks>().0.get() == 1);
///     Ok(())
/// }
/// ```
pub trait Extension: 'static {
    /// Makes the extension for the journey, or the worker, of this context.
    fn attach(ctx: &Context) -> Self;
}

/// One value of each type; few enough that looking through them beats hashing.
#[derive(Default)]
pub(crate) struct Slots(RefCell<SmallVec<[Slot; USUAL]>>);

type Slot = (TypeId, Rc<dyn Any>);

/// How many of them most journeys have at most: these need no memory of their own. Every user has
/// room for them, used or not.
const USUAL: usize = 1;

impl Slots {
    /// The value of type `T`, made now if there is none.
    pub(crate) fn get_or_insert_with<T: 'static>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        if let Some(value) = self.get::<T>() {
            return value;
        }
        // Nothing is borrowed while it is made, since making it may ask for other slots.
        let value = Rc::new(make());
        if let Some(first) = self.get::<T>() {
            // Making it asked for itself; whoever was given that one keeps it.
            return first;
        }
        self.0
            .borrow_mut()
            .push((TypeId::of::<T>(), Rc::clone(&value) as Rc<dyn Any>));
        value
    }

    fn get<T: 'static>(&self) -> Option<Rc<T>> {
        let slots = self.0.borrow();
        let (_, value) = slots.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        Rc::clone(value).downcast().ok()
    }

    /// Whether there is no value of any type.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Forgets every value.
    pub(crate) fn clear(&self) {
        // Taken out first: dropping a value may run code that looks at the slots.
        let values = self.0.take();
        drop(values);
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Slots({})", self.0.borrow().len())
    }
}
