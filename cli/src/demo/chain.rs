//! The chain demo: sends a capability through processes that end behind it, and has its object called at the end.

use super::process::{self, Process, explain};
use crate::args::ChainArgs;
use crate::failure::Failure;
use crate::output;
use portcullis_examples::chain::{Called, HOP, Holdings, Hop, ORIGIN, Origin};
use portcullis_ipc::Pd;
use portcullis_rpc::{Capability, Interface};
use serde::Serialize;
use std::fmt::{self, Display};
use std::process::Stdio;
use std::time::Duration;

/// What the origin takes at most until it has noticed that all have gone.
const SETTLE: Duration = Duration::from_secs(2);

/// Sends the capability on its way and writes what became of it.
pub(crate) fn run(args: &ChainArgs, json: bool) -> Result<(), Failure> {
    let pd = Pd::new().map_err(|error| Failure::Start { name: "demo", error })?;
    let mut origin: Party<dyn Origin> = Party::start(&pd, "origin", ORIGIN)?;
    let before = origin.holdings()?;
    let show = |line: &dyn Display| if json { Ok(()) } else { output::result(line.to_string().as_bytes()) };
    show(&format_args!("           process  descriptors  with it  then                  origin's"))?;
    show(&format_args!("{:<9} {:>8} {:>12}", "origin", origin.process.id(), before.descriptors))?;

    let mut hops = Vec::new();
    let called = walk(&pd, &mut origin, args, &mut |hop| {
        show(&hop)?;
        hops.push(hop);
        Ok(())
    })?;
    let answered_by = called.answer.process;
    if answered_by != origin.process.id() {
        return Err(Failure::Demo(format!(
            "the answer is from process {answered_by}, which is not the origin"
        )));
    }
    let after = origin.settled(&before)?;
    let most =
        hops.iter().map(|hop| hop.origin_descriptors).chain([before.descriptors, after.descriptors]).max();
    let report = Report {
        demo: "chain",
        length: args.length,
        called: true,
        seconds: called.time.as_secs_f64(),
        origin: OriginReport {
            process: answered_by,
            descriptors_before: before.descriptors,
            descriptors_most: most.unwrap_or_default(),
            descriptors_after: after.descriptors,
            object_is_gone: after.objects == before.objects,
        },
        hops,
    };
    show(&report)?;
    if json {
        // Plain fields and finite numbers always have a JSON form.
        output::result(serde_json::to_string(&report).unwrap_or_default().as_bytes())?;
    }
    Ok(())
}

/// From hop to hop, of which two are there at a time. What the call at the end came to.
fn walk(
    pd: &Pd,
    origin: &mut Party<dyn Origin>,
    args: &ChainArgs,
    show: &mut dyn FnMut(HopReport) -> Result<(), Failure>,
) -> Result<Called, Failure> {
    let target = origin.object.client().open();
    let target = target.map_err(|failure| explain(&failure, [&mut origin.process]))?;
    let mut here: Party<dyn Hop> = Party::start(pd, "hop", HOP)?;
    let mut descriptors_before = here.descriptors()?;
    // Ours ends with this call: from here on, only hops have it.
    let taken = here.object.client().take(target);
    taken.map_err(|failure| explain(&failure, [&mut here.process, &mut origin.process]))?;
    for hop in 1..args.length {
        let descriptors_with_it = here.descriptors()?;
        let mut next: Party<dyn Hop> = Party::start(pd, "hop", HOP)?;
        let descriptors_of_next = next.descriptors()?;
        let passed = here.object.client().pass(next.object.clone());
        let all = [&mut here.process, &mut next.process, &mut origin.process];
        passed.map_err(|failure| explain(&failure, all))?;
        let process = here.process.id();
        let (end, origin_descriptors) = leave(here, args.kill, origin)?;
        let did = Deed::HandedOn;
        show(HopReport {
            hop,
            process,
            descriptors_before,
            descriptors_with_it,
            did,
            end,
            origin_descriptors,
        })?;
        (here, descriptors_before) = (next, descriptors_of_next);
    }
    let (hop, process, descriptors_with_it) = (args.length, here.process.id(), here.descriptors()?);
    let called = here.object.client().call();
    let called = called.map_err(|failure| explain(&failure, [&mut here.process, &mut origin.process]))?;
    let (end, origin_descriptors) = leave(here, args.kill, origin)?;
    let did = Deed::Called;
    show(HopReport { hop, process, descriptors_before, descriptors_with_it, did, end, origin_descriptors })?;
    Ok(called)
}

/// Ends a hop. Answers how it ended, and how many descriptors the origin has open then.
fn leave(hop: Party<dyn Hop>, kill: bool, origin: &mut Party<dyn Origin>) -> Result<(End, u32), Failure> {
    let Party { process, object } = hop;
    let end = if kill {
        process.kill()?;
        End::Killed
    } else {
        // It has served its parent, then.
        drop(object);
        process.finish()?;
        End::Exited
    };
    Ok((end, origin.holdings()?.descriptors))
}

/// A component: its process, and its first object.
struct Party<I: ?Sized> {
    process: Process,
    object: Capability<I>,
}

impl<I: ?Sized + Interface> Party<I> {
    fn start(pd: &Pd, name: &'static str, component: &str) -> Result<Party<I>, Failure> {
        let (process, object) = Process::start(pd, name, component, Stdio::null())?;
        Ok(Party { process, object })
    }
}

impl Party<dyn Origin> {
    fn holdings(&mut self) -> Result<Holdings, Failure> {
        self.object.client().holdings().map_err(|failure| explain(&failure, [&mut self.process]))
    }

    /// What it holds when it has noticed that the hops are gone, if that brings it back to what it held before them.
    fn settled(&mut self, before: &Holdings) -> Result<Holdings, Failure> {
        let back = process::wait_for(SETTLE, || match self.holdings() {
            Ok(holdings) => (holdings == *before).then_some(Ok(holdings)),
            Err(failure) => Some(Err(failure)),
        });
        back.unwrap_or_else(|| self.holdings())
    }
}

impl Party<dyn Hop> {
    fn descriptors(&mut self) -> Result<u32, Failure> {
        self.object.client().descriptors().map_err(|failure| explain(&failure, [&mut self.process]))
    }
}

/// What became of everything.
#[derive(Serialize)]
struct Report {
    demo: &'static str,
    length: u32,
    called: bool,
    seconds: f64,
    origin: OriginReport,
    hops: Vec<HopReport>,
}

#[derive(Serialize)]
struct OriginReport {
    process: u32,
    descriptors_before: u32,
    descriptors_most: u32,
    descriptors_after: u32,
    object_is_gone: bool,
}

/// What became of a hop.
#[derive(Serialize)]
struct HopReport {
    hop: u32,
    process: u32,
    descriptors_before: u32,
    descriptors_with_it: u32,
    did: Deed,
    end: End,
    /// When the hop had ended.
    origin_descriptors: u32,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    HandedOn,
    Called,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Exited,
    Killed,
}

impl Display for HopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HopReport { hop, process, descriptors_before, descriptors_with_it, origin_descriptors, .. } =
            self;
        let did = match self.did {
            Deed::HandedOn => "handed it on",
            Deed::Called => "called: ok",
        };
        let end = match self.end {
            End::Exited => "exited",
            End::Killed => "killed",
        };
        let (name, then) = (format!("hop {hop}"), format!("{did}, {end}"));
        write!(f, "{name:<9} {process:>8} {descriptors_before:>12} {descriptors_with_it:>8}  ")?;
        write!(f, "{then:<20} {origin_descriptors:>9}")
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OriginReport { process, descriptors_before, descriptors_most, descriptors_after, .. } =
            self.origin;
        let (length, time) = (self.length, Duration::from_secs_f64(self.seconds));
        let object =
            if self.origin.object_is_gone { "is gone with its last holder" } else { "is still there" };
        write!(
            f,
            "Through {length} processes, none of which is left; process {process} answered the last in {time:.1?}.\n\
             Descriptors of the origin: {descriptors_before} before, {descriptors_most} at most, {descriptors_after} \
             after; the object {object}."
        )
    }
}
