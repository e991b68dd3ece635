//! The router beside a reading of the rules that does nothing but read them; and rules that never decide.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod support;

use portcullis_init::{Composition, Router, Severity};
use proptest::prelude::*;
use support::{C, F, R, file, label, name, service, sessions, unreachable};

proptest! {
    #[test]
    fn decides_as_the_rules_read(file in file()) {
        let file = file.reachable();
        let router = Router::new(&Composition::parse(file.text().0).unwrap());
        for (client, wanted, said) in sessions(&file) {
            let decision = router.decide(&name(client), &service(wanted), &label(&said));
            let rule = file.rule(client, wanted, &said);
            prop_assert_eq!(decision.rule, rule, "{} {} {:?}", client, wanted, said);
            prop_assert_eq!(decision.to.to_string(), rule.map_or("denied", |rule| file.routes[rule].to));
        }
    }

    /// Neither one more nor one less than those that no session reaches. Those that are for nobody aside.
    #[test]
    fn reports_exactly_the_rules_that_never_decide(file in file()) {
        let (text, lines) = file.text();
        let for_somebody = |rule: &R| file.components.iter().any(|c| rule.from.is_some() || c.name != rule.to);
        let expected: Vec<usize> =
            unreachable(&file).into_iter().filter(|rule| for_somebody(&file.routes[*rule])).map(|rule| lines[rule]).collect();
        let reported: Vec<usize> = match Composition::parse(&text) {
            Ok(_) => Vec::new(),
            Err(problems) => {
                let errors = problems.list().iter().filter(|problem| problem.severity == Severity::Error);
                errors.map(|problem| { assert!(problem.found.contains("never decides"), "{problem}"); problem.place.line }).collect()
            }
        };
        prop_assert_eq!(reported, expected, "{}", text);
    }
}

fn rule(from: Option<&'static str>, kind: &'static str, hops: &[&'static str], to: &'static str) -> R {
    R { from, service: "S", kind, hops: hops.to_vec(), to }
}

fn router(routes: Vec<R>) -> Router {
    let server = |name| C { provides: vec!["S"], ..C::named(name) };
    let file = F { components: vec![server("a"), server("b"), C::named("c")], routes };
    Router::new(&Composition::parse(file.text().0).unwrap())
}

fn to(router: &Router, client: &str, said: &[&str]) -> String {
    router.decide(&name(client), &service("S"), &label(said)).to.to_string()
}

#[test]
fn a_rule_for_the_parent_that_never_decides_is_reported_too() {
    let rules = |second| {
        let routes = vec![rule(Some("parent"), "any", &[], "denied"), rule(second, "any", &[], "a")];
        let file = F { components: vec![C { provides: vec!["S"], ..C::named("a") }, C::named("b")], routes };
        Composition::parse(file.text().0).map(drop)
    };
    let said = rules(Some("parent")).unwrap_err();
    assert!(said.list().iter().any(|problem| problem.found.contains("never decides")), "{said:?}");
    assert_eq!(rules(None), Ok(()), "a rule for all clients is none for the parent, nor the other way round");
}

#[test]
fn a_tail_identifies_no_requester() {
    // Meant for `c`, by somebody who takes the last hop for its name.
    let by_tail = router(vec![rule(None, "suffix", &["c"], "a")]);
    assert_eq!(to(&by_tail, "b", &["c"]), "a", "whoever says the tail gets it: so it warns");
    assert_eq!(to(&by_tail, "c", &[]), "denied", "and the name that the parent puts before is no part of it");
    let by_client = router(vec![rule(Some("c"), "any", &[], "a")]);
    assert_eq!(to(&by_client, "b", &["c"]), "denied");
    assert_eq!(to(&by_client, "c", &["whatever"]), "a");
}

#[test]
fn a_name_within_a_label_is_no_client() {
    let router = router(vec![rule(Some("c"), "prefix", &["x"], "a"), rule(None, "any", &[], "b")]);
    assert_eq!(to(&router, "c", &["x", "y"]), "a");
    assert_eq!(to(&router, "a", &["c", "x"]), "b");
    assert_eq!(to(&router, "c", &["c", "x"]), "b");
}

#[test]
fn nobody_is_its_own_server() {
    let chained = router(vec![rule(None, "any", &[], "a"), rule(None, "any", &[], "parent")]);
    assert_eq!(to(&chained, "c", &[]), "a");
    assert_eq!(to(&chained, "a", &[]), "parent", "a log that logs further up");
}

/// The first rule leaves out `a`, which the second takes; together they leave nothing to a third.
#[test]
fn two_rules_that_leave_out_one_client_each_leave_out_nobody() {
    let server = |name| C { provides: vec!["S"], ..C::named(name) };
    let parse = |targets: &[&'static str]| {
        let routes = targets.iter().map(|to| rule(None, "any", &[], to)).collect();
        let file = F { components: vec![server("a"), server("b"), C::named("c")], routes };
        Composition::parse(file.text().0).map_err(|problems| problems.to_string())
    };
    assert!(parse(&["a", "parent"]).is_ok());
    let said = parse(&["a", "b", "parent"]).unwrap_err();
    assert!(said.contains("earlier rules together take all that it is for"), "{said}");
}

#[test]
fn what_no_rule_allows_is_denied() {
    let router = router(vec![rule(Some("c"), "exact", &["x"], "parent")]);
    let decision = router.decide(&name("c"), &service("S"), &label(&["x", "x"]));
    assert_eq!((decision.to.to_string().as_str(), decision.rule), ("denied", None));
    assert_eq!(to(&router, "nobody", &["x"]), "denied");
}
