//! Runs a composition file: the root of all its components.

mod asked;
mod lines;
mod table;
mod watch;

use crate::args::RunArgs;
use crate::composition::{directory, read, read_again, warn, warnings};
use crate::failure::Failure;
pub(crate) use asked::Asked;
use lines::Lines;
use portcullis_component::Quota;
use portcullis_entrypoint::Entrypoint;
use portcullis_init::{Composition, Init, Root};
use portcullis_ipc::Pd;
use std::process::ExitCode;

/// What the root has to give where nothing is said: more than any file may ask for.
const ALL: Quota = Quota::new(1 << 62, 1 << 62);

/// Runs a file until all of its components have ended.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let pd = Pd::new().map_err(portcullis_entrypoint::Error::from)?;
    let entrypoint = Entrypoint::new(&pd)?;
    let (name, text) = read(&args.file)?;
    let lines = Lines::start();
    let quota = Quota { ram: args.ram.unwrap_or(ALL.ram), caps: args.caps.unwrap_or(ALL.caps) };
    let (log, events) = (lines.clone(), lines.clone());
    let root = Root {
        directory: directory(&name).to_owned(),
        quota,
        log: Box::new(move |line| log.wait_for(line.into())),
        also: Vec::new(),
    };
    let tell = move |event: portcullis_init::Event| events.say(format!("init: {event}"));
    let init = Init::root(&pd, &entrypoint, root, tell).map_err(Failure::Root)?;
    let composition = checked(&name, &text, &init)?;
    warn(&name, &composition);
    let ended = serve(args, &init, &entrypoint, &lines, &composition);
    if args.json && ended.is_ok() {
        lines.result(init.state().json());
    }
    // What is left of them ends here, if serving has failed.
    drop(init);
    let written = lines.finish();
    ended.and_then(|code| written.map(|()| code))
}

/// The composition of a file, if all of it is right.
fn checked(name: &str, text: &[u8], init: &Init) -> Result<Composition, Failure> {
    let wrong = |problems| Failure::composition(name, problems);
    let composition = Composition::parse_within(text, &init.given()).map_err(wrong)?;
    composition.check_binaries(directory(name)).map_err(wrong)?;
    Ok(composition)
}

fn serve(
    args: &RunArgs,
    init: &Init,
    entrypoint: &Entrypoint,
    lines: &Lines,
    composition: &Composition,
) -> Result<ExitCode, Failure> {
    let asked = Asked::listen(&entrypoint.handle())?;
    let file = Some(&args.file.file).filter(|file| file.as_os_str() != "-");
    // Without a watch there is still SIGHUP.
    file.into_iter().for_each(|file| watch::start(file, &asked));
    if args.json {
        let to_output = lines.clone();
        init.report_to(move |state| to_output.result(state.json()));
    }
    let started = init.start(composition);
    if started.is_err() {
        init.run_until(Init::is_over)?;
    }
    started?;
    loop {
        init.run_until(|init| init.is_over() || asked.is_anything())?;
        if let Some(signal) = asked.end() {
            init.end();
            init.run_until(Init::is_over)?;
            // The code with which a shell reports death by that signal.
            return Ok(ExitCode::from(128 + signal));
        }
        if asked.state() {
            table::of(&init.state()).into_iter().for_each(|line| lines.say(line));
        } else if asked.reload() {
            reload(args, init, lines);
        } else if init.is_over() {
            return Ok(if init.has_succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
}

/// Changes what runs to what the file says now, if that is right. Waits neither for who writes the file nor for who reads what is
/// said of it.
fn reload(args: &RunArgs, init: &Init, lines: &Lines) {
    let changed = read_again(&args.file).and_then(|(name, text)| Ok((checked(&name, &text, init)?, name)));
    match changed {
        // Written into the place, a file is empty first. Whoever wants nothing to run ends the command.
        Ok((composition, _)) if composition.components().is_empty() => {
            lines.say("init: the file has no component now: nothing has changed".into());
        }
        Ok((composition, name)) => {
            warnings(&name, &composition).for_each(|warning| lines.say(warning));
            init.change(&composition);
        }
        Err(failure) => {
            let is_wrong = matches!(failure, Failure::Composition { .. });
            let why = if is_wrong { "is wrong" } else { "was not read" };
            lines.say(format!("{failure}\ninit: the file {why}: nothing has changed"));
        }
    }
}
