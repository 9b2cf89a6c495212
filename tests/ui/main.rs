//! What the macros refuse, and in which words.
//!
//! `TRYBUILD=overwrite cargo test -p ui` writes the expected messages anew.

#[test]
fn what_is_refused_is_told_at_its_place() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
