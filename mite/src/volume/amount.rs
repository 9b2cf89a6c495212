//! The number types an amount can be written in.

use sealed::Sealed;

/// A number of users or of starts per second.
///
/// Every primitive number type is one, so that `Constant::users(10, …)`,
/// `Constant::users(pool.len(), …)` and `Constant::per_second(0.5, …)` all do. What makes no sense
/// as an amount (a negative one, one that is not finite, half a user) is found by
/// [`VolumeModel::check`](super::VolumeModel::check).
pub trait Amount: Sealed {}

impl<T: Sealed> Amount for T {}

mod sealed {
    pub trait Sealed: Copy {
        fn to_f64(self) -> f64;
    }
}

macro_rules! amounts {
    ($($number:ty),*) => {$(
        impl Sealed for $number {
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

amounts!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64
);
