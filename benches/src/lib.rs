//! Criterion benches of the parts of mite live beside this file.
