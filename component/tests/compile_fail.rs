//! What the attribute `component` refuses, and what it says then: one case for each of its diagnostics.

#[test]
fn every_diagnostic_of_the_attribute_has_a_case() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
