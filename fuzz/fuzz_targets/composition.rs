//! Composition files: refused with problems that have a place in the file, or a composition on which the router, the plan
//! and the graph agree.
#![no_main]

use portcullis_init::{Composition, Graph, Label, Plan, Router, Session, Target, limits};
use std::time::{Duration, Instant};

/// What a file may take. It is short, so this is far more than it needs, on a slow machine too.
const MOST_TIME: Duration = Duration::from_secs(5);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let start = Instant::now();
    match Composition::parse(data) {
        Err(problems) => {
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!((1..=limits::MOST_PROBLEMS).contains(&problems.list().len()), "a reason at least");
            for problem in problems.list() {
                assert!((1..=lines).contains(&problem.place.line), "{problem}");
                assert!(!problem.to_string().contains('\n'), "a line for each: {problem}");
            }
        }
        Ok(composition) => agree(&composition),
    }
    assert!(start.elapsed() < MOST_TIME);
});

fn agree(composition: &Composition) {
    let nothing = Composition::parse("").expect("an empty file is right");
    let sessions: &[Session<u32>] = &[];
    assert!(Plan::between(composition, composition, sessions).steps().is_empty());
    assert_eq!(
        Plan::between(&nothing, composition, sessions).touched().len(),
        composition.components().len()
    );
    assert_eq!(
        Plan::between(composition, &nothing, sessions).touched().len(),
        composition.components().len()
    );

    let router = Router::new(composition);
    let services = composition.components().iter().flat_map(|component| &component.provides);
    for service in services {
        for client in composition.components() {
            let decision = router.decide(&client.name, service, &Label::default());
            if let Target::Child(server) = decision.to {
                assert_ne!(*server, client.name, "nobody is its own server");
                let server = composition.component(server.as_str()).expect("routes lead to components");
                assert!(server.provides.contains(service), "who provides what is wanted");
            }
        }
    }

    let graph = Graph::of(composition);
    assert!(graph.dot().ends_with("}\n"));
    assert!(graph.svg().ends_with("</svg>"));
}
