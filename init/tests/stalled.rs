//! A root whose services are held up: by whoever reads its log and stops, say.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

use portcullis_component::Quota;
use portcullis_entrypoint::Entrypoint;
use portcullis_init::{Announce, Composition, Init, Root};
use portcullis_ipc::Pd;
use std::sync::mpsc::channel;

/// How long a component's configuration is, in bytes.
const CONFIG: usize = 32 << 10;

/// How often it is another one. All of them together would be 32 MiB.
const TIMES: usize = 1024;

/// A composition whose component has ended soon; what it is configured with it does not look at.
fn configured(with: char) -> Composition {
    let config: String = std::iter::repeat_n(with, CONFIG).collect();
    let text = format!(
        "[[component]]\nname = 'one'\nbinary = '/bin/true'\nram = '1M'\ncaps = 10\nsandbox = 'off'\nconfig = '{config}'"
    );
    Composition::parse(text).unwrap()
}

/// What this process has in memory, in bytes. Nobody else is in it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn what_changes_while_the_services_are_held_up_is_kept_once() {
    let pd = Pd::new().unwrap();
    let entrypoint = Entrypoint::new(&pd).unwrap();
    let (held_up, hold) = channel();
    let (end, ended) = channel::<()>();
    let root_looks = entrypoint.handle();
    let holds: Announce = Box::new(move |_| {
        held_up.send(()).unwrap();
        root_looks.stop();
        // Until the test is over.
        let _ = ended.recv();
        Ok(())
    });
    let quota = Quota::new(1 << 30, 1_000);
    let root = Root { directory: "/".into(), quota, log: Box::new(|_| ()), also: vec![("hold", holds)] };
    let init = Init::root(&pd, &entrypoint, root, |_| ()).unwrap();
    // Dropped before it, which waits for its threads.
    let end = end;
    init.run_until(|_| hold.try_recv().is_ok()).unwrap();
    let (one, other) = (configured('a'), configured('b'));
    init.start(&one).unwrap();
    let before = resident();
    for change in [&other, &one].into_iter().cycle().take(TIMES) {
        init.change(change);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < TIMES * CONFIG / 4, "{grown} bytes");
    drop(end);
}
