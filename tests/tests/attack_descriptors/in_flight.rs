//! Attack 42: descriptors in flight are counted for each user, and a hostile process of the same user has all of them. Who
//! has a higher limit goes on, and so does what needs no descriptor.

use crate::{LIMIT, alone};
use portcullis_ipc::{Deadline, Error, Limits, Pd, PdOptions};
use portcullis_tests::host::Host;
use portcullis_tests::remote::{Nested, objects};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use portcullis_tests::villain::client::{PATIENCE, RawClient};
use portcullis_tests::villain::victim::Process;
use portcullis_tests::villain::wire::{Row, status};
use portcullis_tests::villain::{service, socket};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What a component may have; a server may have more.
const LOW: u64 = 64;

/// Who has nothing else on this machine, and may not exceed limits.
const USER: u32 = 47_042;

/// A command that runs as a user of its own, if we may say so.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    if rustix::process::geteuid().is_root() {
        command.uid(USER).gid(USER);
    }
    command
}

fn peer(pd: &Pd) -> Result<Host, Error> {
    let mut command = command(env!("CARGO_BIN_EXE_peer"));
    command.arg(Limits::default().rows.to_string());
    Host::command_of(pd, command)
}

/// A process that has everything in flight that there may be, until this is dropped.
struct Exhausted {
    _process: Process,
    _parent: OwnedFd,
}

impl Exhausted {
    fn start() -> Exhausted {
        let mut command = command(env!("CARGO_BIN_EXE_villain"));
        command.args(["exhaust", &LOW.to_string()]);
        let (process, parent) = Process::start(command).expect("a villain starts");
        assert!(socket::receive(&parent, PATIENCE).is_some(), "it could not fill what there is");
        Exhausted { _process: process, _parent: parent }
    }
}

#[test]
fn attack_42_who_has_a_higher_limit_goes_on_and_so_does_delegation_by_row() -> Result<(), Error> {
    let _alone = alone();
    let pd = Pd::with(PdOptions { deadline: Deadline::After(LIMIT / 4), ..PdOptions::default() })?;
    let (server, low, third) = (peer(&pd)?, peer(&pd)?, peer(&pd)?);
    assert_eq!(low.root.numbers(Op::LimitDescriptors, &[LOW], &[])?, [1]);
    let [of_server, of_low] = [&server, &low].map(|host| host.root.keep(&third.root));
    let (of_server, of_low, to_server) = (of_server?, of_low?, low.root.keep(&server.root)?);
    for number in [of_low, to_server] {
        low.root.call_kept(number, Op::Name, PATIENCE, &[])?.words();
    }
    let passes = || low.root.pass_on(to_server, Op::IsMine, PATIENCE, &third.root);
    let gives = |host: &Host, number| host.root.ask(Op::Give, &[number], &[]).map(drop);
    let all_is_well = || {
        gives(&low, of_low)?;
        assert_eq!(passes()?.words(), [0]);
        Ok::<_, Error>(())
    };
    all_is_well()?;
    let villain = Exhausted::start();
    for _ in 0..10 {
        // Its own sends fail, of answers and of requests; it is nobody's violation.
        assert_eq!(gives(&low, of_low), Err(Error::Busy));
        let Nested { result, .. } = passes()?;
        assert_eq!(result, Err("Busy".to_owned()));
        // By row it goes on, over the same channels.
        low.root.new_objects(4)?.iter().try_for_each(|object| object.name().map(drop))?;
        low.root.call_kept(to_server, Op::NewObjects, PATIENCE, &[4])?.words();
        // Who has a higher limit: a server, and a parent.
        let mut given = objects(&mut server.root.ask(Op::Give, &[of_server], &[])?);
        assert_eq!(given.remove(0).name()?, third.root.name()?);
        let stranger = peer(&pd)?;
        let number = stranger.root.keep(&server.root.new_object()?)?;
        stranger.root.call_kept(number, Op::Name, PATIENCE, &[])?.words();
    }
    drop(villain);
    // The system collects what was in flight in its own time.
    assert!(eventually(|| all_is_well().is_ok()));
    all_is_well()
}

#[test]
fn attack_42_an_answer_that_our_own_user_has_no_room_for_ends_no_channel() {
    let _alone = alone();
    let mut low = command("sh");
    low.args(["-c", &format!("ulimit -n {LOW}; exec {} serve", env!("CARGO_BIN_EXE_victim"))]);
    let (_low, portal) = Process::start(low).expect("a server starts");
    let mut client = RawClient::connect(portal).expect("it is there");
    let mut portals = || client.call(Row::FIRST, service::PORTALS, &[1]);
    let _ = portals().data();
    let villain = Exhausted::start();
    for _ in 0..10 {
        assert_eq!(portals().status(), Some(status::BUSY));
    }
    drop(villain);
    assert!(eventually(|| portals().status() == Some(status::ANSWERED)));
}
