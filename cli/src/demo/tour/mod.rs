//! The tour: a composition of confined components, of which one is killed and one is hostile.

mod arena;
mod judge;
mod stage;
mod story;

use super::input::Input;
use crate::failure::Failure;
use crate::output::{self, note};
use crate::run::Asked;
use arena::Arena;
use judge::{Finding, Judge};
use portcullis_component::Quota;
use portcullis_entrypoint::Entrypoint;
use portcullis_examples::tour::{COMPOSITION, Stage};
use portcullis_examples::wordcount::{WordCounter, WordRule};
use portcullis_init::{Composition, Init, Root};
use portcullis_ipc::Pd;
use portcullis_rpc::Interface;
use portcullis_shm::{Dataspace, RamAccount, RamAllocator, RamQuota, Window};
use serde::Serialize;
use stage::Props;
use std::path::Path;
use std::time::{Duration, Instant};
use story::Story;

/// The largest input, in bytes.
const LARGEST: usize = 64 << 20;

/// When the tour is given up, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the composition has to give.
const QUOTA: Quota = Quota::new(256 << 20, 2_000);

/// Runs the tour, and writes what held.
pub(crate) fn run(input: Input, json: bool) -> Result<(), Failure> {
    let name = input.name().to_string_lossy().into_owned();
    let bytes = input.read(LARGEST)?;
    let mut counter = WordCounter::new(WordRule::Utf8);
    counter.add(&bytes);

    let pd = Pd::new().map_err(|error| Failure::Start { name: "demo", error })?;
    let entrypoint = Entrypoint::new(&pd)?;
    let asked = Asked::listen(&entrypoint.handle())?;
    let story =
        Story::new(Judge::new(counter.counts()), Arena::open().map_err(Failure::Arena)?, entrypoint.handle());
    let shown = shown(&bytes).map_err(Failure::Memory)?;
    let props = Props { input: shown.capability().into(), story: story.clone() };
    let root = Root {
        directory: "/".into(),
        quota: QUOTA,
        log: Box::new(|line| note(format_args!("  {line}"))),
        also: vec![(<dyn Stage as Interface>::NAME, Box::new(move |env| stage::announce(env, props)))],
    };
    let changes = story.clone();
    let init =
        Init::root(&pd, &entrypoint, root, move |change| changes.changed(&change)).map_err(Failure::Root)?;

    note(format_args!("Six components, each in a sandbox of its own, count the words of '{name}'."));
    let give_up = Instant::now() + PATIENCE;
    let handle = entrypoint.handle();
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        handle.stop();
    });
    let started = init.start(&composition(&init)?);
    if started.is_err() {
        init.run_until(Init::is_over)?;
    }
    started?;
    init.run_until(|_| asked.end().is_some() || story.is_complete() || Instant::now() > give_up)?;
    init.end();
    init.run_until(Init::is_over)?;
    match asked.end() {
        Some(signal) => Err(Failure::Interrupted(signal)),
        None => report(&name, &story.findings(), json),
    }
}

/// The input, as a dataspace that others can read but not write.
fn shown(bytes: &[u8]) -> Result<Dataspace, portcullis_shm::Error> {
    let all = RamQuota::bytes(2 * LARGEST as u64);
    let dataspace = RamAllocator::new(&RamAccount::new(all)).alloc_published(bytes.len())?;
    dataspace.attach(Window::WHOLE)?.copy_from(0, bytes)?;
    Ok(dataspace)
}

/// The tour's composition, all of whose binaries are this very program.
fn composition(init: &Init) -> Result<Composition, Failure> {
    let program = std::env::current_exe().map_err(Failure::OwnProgram)?;
    let text = COMPOSITION.replace("\"portcullis\"", &quoted(&program));
    Composition::parse_within(text.as_bytes(), &init.given())
        .map_err(|problems| Failure::composition("tour.toml", problems))
}

/// A path as a string of TOML.
fn quoted(path: &Path) -> String {
    // What JSON escapes TOML takes as well.
    serde_json::to_string(&path.to_string_lossy()).unwrap_or_default()
}

/// Says what held. It is a failure if anything did not.
fn report(input: &str, findings: &[Finding], json: bool) -> Result<(), Failure> {
    if json {
        let line = serde_json::to_string(&Json { demo: "tour", input, findings });
        // Plain fields always have a JSON form.
        output::result(line.unwrap_or_default().as_bytes())?;
    } else {
        for Finding { holds, what } in findings {
            let mark = if *holds { "ok    " } else { "FAILED" };
            output::result(format!("{mark}  {what}").as_bytes())?;
        }
    }
    let failed = findings.iter().filter(|finding| !finding.holds).count();
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::Demo(format!("{failed} of {} did not hold", findings.len())))
    }
}

/// The result for programs.
#[derive(Serialize)]
struct Json<'a> {
    demo: &'a str,
    input: &'a str,
    findings: &'a [Finding],
}
