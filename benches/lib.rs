//! The criterion benches of mite are the files beside this one; there is nothing to import.
