//! What the macro refuses, and what it says then: one case for each of its diagnostics.

#[test]
fn g11_every_diagnostic_of_the_macro_has_a_case() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
