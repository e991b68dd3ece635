//! Attacks on an honest client, this process, by the server that it calls; the bystander is another thread of the same
//! protection domain, with a server that is honest.

mod tasks;

use portcullis_ipc::{
    Capability, Child, Deadline, Doorbell, Error, MsgBuf, Pd, PdOptions, Server, WaitPolicy,
};
use portcullis_tests::bystander::Bystander;
use portcullis_tests::executor::block_on;
use portcullis_tests::villain::script::{ANSWER, RUN, Step, Thing};
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::{self, Kind};
use portcullis_tests::watchdog::Watchdog;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a call may take here.
const LIMIT: Duration = Duration::from_millis(300);
/// What a machine under load may add to it.
const NOISE: Duration = Duration::from_secs(10);

/// They count the descriptors of this process, and so run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

/// A client with an honest server and a bystander; villains are started as they are needed.
struct House {
    pd: Pd,
    bystander: Option<Bystander>,
    honest: (Child, Capability),
    descriptors: usize,
    _watchdog: Watchdog,
    _alone: MutexGuard<'static, ()>,
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc is mounted").count()
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("serve");
    command
}

impl House {
    fn new(doorbell: Doorbell, wait: WaitPolicy) -> House {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let pd =
            Pd::with(PdOptions { doorbell, wait, deadline: Deadline::After(NOISE), ..PdOptions::default() })
                .expect("a domain");
        let (honest, capability) = pd.spawn(command(env!("CARGO_BIN_EXE_victim"))).expect("a server");
        let bystander = Bystander::start(capability.clone());
        assert!(eventually(|| bystander.report().calls > 0));
        House {
            pd,
            bystander: Some(bystander),
            honest: (honest, capability),
            descriptors: descriptors(),
            _watchdog: Watchdog::start(Duration::from_secs(120)),
            _alone: alone,
        }
    }

    /// The server of the bystander.
    fn honest(&self) -> Capability {
        self.honest.1.clone()
    }

    fn villain(&self) -> (Child, Capability) {
        self.pd.spawn(command(env!("CARGO_BIN_EXE_villain"))).expect("a villain")
    }

    /// Has a fresh villain answer one call by a script.
    fn answer_to(&self, script: &[Step]) -> Result<MsgBuf, Error> {
        let (_villain, capability) = self.villain();
        let result = run(&capability, script);
        if matches!(result, Err(Error::Violation(_))) {
            assert_eq!(run(&capability, &[ANSWER]).err(), Some(Error::Disconnected), "it is spoken to again");
        }
        result
    }

    /// The bystander has noticed nothing, and nothing is left behind.
    fn assert_unharmed(mut self) {
        let bystander = self.bystander.take().expect("it is stopped here only");
        let before = bystander.report().calls;
        assert!(eventually(|| bystander.report().calls > before), "the bystander gets no answers any more");
        let report = bystander.report();
        assert_eq!((report.errors, report.first_error.as_str()), (0, ""), "the bystander was disturbed");
        // Threads that close descriptors may have one more in their hands for a moment.
        let same = eventually(|| descriptors() <= self.descriptors);
        assert!(same, "{} descriptors before, {} after", self.descriptors, descriptors());
    }
}

fn house() -> House {
    House::new(Doorbell::default(), WaitPolicy::default())
}

fn request(script: &[Step]) -> MsgBuf {
    let (mut bytes, mut send) = (Vec::new(), MsgBuf::new());
    script.iter().for_each(|step| step.encode(&mut bytes));
    send.set_method(RUN, 0);
    send.write(&bytes).expect("a script fits");
    send
}

/// Calls with a script; the deadline is met, whatever the villain does.
fn run(capability: &Capability, script: &[Step]) -> Result<MsgBuf, Error> {
    let mut receive = MsgBuf::new();
    let start = Instant::now();
    let result = capability.call_with(&request(script), &mut receive, Deadline::After(LIMIT));
    assert!(start.elapsed() < LIMIT + NOISE, "the deadline was missed by {:?}", start.elapsed() - LIMIT);
    result.map(|()| receive)
}

fn publish(length: u16, kinds: &[Kind], status: u8) -> Step {
    Step::Publish { lane: 0, sequence: 0, length, kinds: wire::kinds(kinds), status }
}

fn assert_violation(house: &House, script: &[Step]) {
    let result = house.answer_to(script);
    assert!(matches!(result, Err(Error::Violation(_))), "{script:?} came to {result:?}");
}

#[test]
fn attack_01_a_reply_that_is_too_long_ends_the_channel() {
    let house = house();
    for length in [1025, 1032, 1536, 2047] {
        assert_violation(&house, &[publish(length, &[], 0)]);
    }
    assert_eq!(house.answer_to(&[publish(1024, &[], 0)]).map(|reply| reply.data().len()), Ok(1024));
    house.assert_unharmed();
}

#[test]
fn attack_01_a_reply_of_unknown_kinds_or_status_ends_the_channel() {
    let house = house();
    for kinds in [0b11, 0b1101, 0b0100, 0xff] {
        assert_violation(&house, &[Step::Publish { lane: 0, sequence: 0, length: 0, kinds, status: 0 }]);
    }
    for status in [12, 20, 31] {
        assert_violation(&house, &[publish(0, &[], status)]);
    }
    house.assert_unharmed();
}

#[test]
fn attack_02_a_reply_with_another_count_of_descriptors_ends_the_channel() {
    let house = house();
    let alleged = |count| publish(0, &vec![Kind::Portal; count], 0);
    for (sent, count) in [(0, 1), (0, 4), (1, 2), (2, 1), (4, 3), (3, 4)] {
        let sends = (sent != 0).then_some(Step::Portals(sent));
        let script: Vec<Step> = sends.into_iter().chain([alleged(count)]).collect();
        assert_violation(&house, &script);
    }
    for sent in [5, 100, 253] {
        assert_violation(&house, &[Step::Portals(sent), alleged(4)]);
    }
    let good = house.answer_to(&[Step::Portals(2), alleged(2)]);
    assert_eq!(good.map(|reply| reply.capabilities()), Ok(2), "a count that fits is no attack");
    house.assert_unharmed();
}

#[test]
fn attack_41_253_descriptors_end_the_channel_and_are_closed() {
    let house = house();
    for bytes in [wire::portals(0, 1).to_vec(), wire::greeting(7).to_vec(), wire::DOORBELL.to_vec()] {
        let script = [Step::Send(bytes, 253, Thing::Pipe), publish(0, &[Kind::Portal; 4], 0)];
        assert_violation(&house, &script);
    }
    house.assert_unharmed();
}

#[test]
fn attack_07_replies_to_calls_that_are_not_made_are_ignored() {
    let house = house();
    let (_villain, capability) = house.villain();
    let elsewhere = |lane, sequence| Step::Publish { lane, sequence, length: 8, kinds: 0b01, status: 0 };
    for _ in 0..20 {
        // To lanes without a call; of calls that are over or yet to come; and then once more.
        let script =
            [elsewhere(1, 0), elsewhere(15, 7), elsewhere(0, -1), elsewhere(0, 5), ANSWER, elsewhere(1, 1)];
        let reply = run(&capability, &script).expect("the good reply counts");
        assert_eq!((reply.data().len(), reply.capabilities()), (0, 0));
        let twice = run(&capability, &[ANSWER, elsewhere(0, 0)]).map(drop);
        // The second may have been the one that was seen; it names a row that means nothing.
        assert_eq!(twice, Ok(()));
    }
    drop(capability);
    house.assert_unharmed();
}

#[test]
fn attack_08_descriptors_beside_other_bytes_end_the_channel() {
    let house = house();
    let stray = |bytes: &[u8], count, thing| {
        // The client reads its socket when a reply says that something is there for it.
        [Step::Send(bytes.to_vec(), count, thing), Step::Portals(1), publish(0, &[Kind::Portal], 0)]
    };
    for thing in [Thing::Socket, Thing::Pipe] {
        assert_violation(&house, &stray(&wire::DOORBELL, 1, thing));
        assert_violation(&house, &stray(&[1, 2, 3], 1, thing));
        assert_violation(&house, &stray(&wire::hello(), 2, thing));
        assert_violation(&house, &stray(&wire::open(wire::Row::FIRST), 1, thing));
        assert_violation(&house, &stray(&wire::portals(16, 1), 1, thing));
    }
    assert_violation(&house, &stray(&wire::portals(0, 77), 1, Thing::Socket));
    // Beside the first reply: what belongs to a portal must be one, what belongs to a dataspace may be anything.
    let beside = |thing, kind| [Step::Send(wire::portals(0, 1).to_vec(), 1, thing), publish(0, &[kind], 0)];
    assert_violation(&house, &beside(Thing::Pipe, Kind::Portal));
    for thing in [Thing::Socket, Thing::Pipe, Thing::Page] {
        let came = house.answer_to(&beside(thing, Kind::Dataspace)).map(|mut reply| reply.take(0));
        assert!(matches!(came, Ok(Some(capability)) if capability.dataspace().is_some()), "{thing:?}");
    }
    house.assert_unharmed();
}

#[test]
fn attack_08_a_greeting_without_a_page_or_with_another_token_ends_the_channel() {
    let house = house();
    let greeting = |thing| Step::Send(wire::greeting(7).to_vec(), 1, thing);
    let token = |count, thing| Step::Send(wire::token(7).to_vec(), count, thing);
    for (script, good) in [
        (vec![token(1, Thing::Socket), ANSWER], false),
        (vec![token(0, Thing::Socket), ANSWER], false),
        (vec![token(1, Thing::Slow), ANSWER], false),
        (vec![greeting(Thing::Page), ANSWER], true),
        (vec![greeting(Thing::OpenPage), ANSWER], false),
        (vec![greeting(Thing::Socket), ANSWER], false),
        (vec![greeting(Thing::Pipe), ANSWER], false),
        (vec![greeting(Thing::Slow), ANSWER], false),
        (vec![greeting(Thing::Page), greeting(Thing::Page), ANSWER], false),
    ] {
        let (_villain, capability) = house.villain();
        // The reply was good. What came beside it is looked at after the first.
        assert_eq!(run(&capability, &script).map(drop), Ok(()), "{script:?}");
        let next = run(&capability, &[ANSWER]).map(drop);
        assert_eq!(next, if good { Ok(()) } else { Err(Error::Disconnected) }, "{script:?}");
    }
    house.assert_unharmed();
}

#[test]
fn attack_09_half_a_reply_costs_its_caller_the_deadline() {
    let house = house();
    let later = Step::Publish { lane: 0, sequence: 1 << 30, length: 1024, kinds: 0, status: 0 };
    for wait in [vec![], vec![Step::Portals(4)], vec![later], vec![Step::Punch]] {
        assert_eq!(house.answer_to(&wait).map(drop), Err(Error::DeadlineExceeded), "{wait:?}");
    }
    house.assert_unharmed();
}

#[test]
fn attack_09_sixteen_half_replies_make_the_next_call_busy() {
    let house = house();
    let (_villain, capability) = house.villain();
    let quick = Deadline::After(Duration::from_millis(5));
    for _ in 0..wire::LANES {
        let result = capability.call_with(&request(&[]), &mut MsgBuf::new(), quick);
        assert_eq!(result, Err(Error::DeadlineExceeded));
    }
    assert_eq!(run(&capability, &[ANSWER]).map(drop), Err(Error::Busy));
    drop(capability);
    house.assert_unharmed();
}

#[test]
fn attack_11_a_reply_that_changes_while_it_is_read_is_one_of_what_it_was() {
    let house = house();
    for _ in 0..20 {
        match house.answer_to(&[Step::Tamper]) {
            Ok(reply) => assert!([8, 1024].contains(&reply.data().len()), "{} bytes", reply.data().len()),
            Err(error) => assert!(matches!(error, Error::Violation(_)), "{error:?}"),
        }
    }
    house.assert_unharmed();
}

#[test]
fn attack_12_a_flood_on_the_socket_costs_its_caller_no_more_than_the_deadline() {
    let house = house();
    for _ in 0..3 {
        let result = house.answer_to(&[Step::Flood, publish(0, &[Kind::Portal], 0)]);
        assert!(matches!(result, Err(Error::Violation(_) | Error::DeadlineExceeded)), "{result:?}");
    }
    house.assert_unharmed();
}

#[test]
fn attack_15_a_server_that_dies_or_hangs_up_in_a_call_is_an_error_within_50_ms() {
    let house = house();
    for step in [Step::Die, Step::HangUp] {
        let mut times: Vec<Duration> = (0..15)
            .map(|_| {
                let (_villain, capability) = house.villain();
                run(&capability, &[ANSWER]).expect("it answers at first");
                let start = Instant::now();
                let mut receive = MsgBuf::new();
                let script = request(std::slice::from_ref(&step));
                let result = capability.call_with(&script, &mut receive, Deadline::Never);
                assert_eq!(result, Err(Error::Disconnected));
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        assert!(
            median < Duration::from_millis(50) && worst < NOISE,
            "{step:?}: {median:?}, at worst {worst:?}"
        );
    }
    house.assert_unharmed();
}

#[test]
fn attack_44_a_descriptor_whose_close_blocks_holds_no_client_up() {
    let house = house();
    let slow = |bytes: &[u8], count| Step::Send(bytes.to_vec(), count, Thing::Slow);
    for send in [
        slow(&wire::portals(0, 1), 1),
        slow(&wire::portals(0, 1), 5),
        slow(&wire::hello(), 1),
        slow(&wire::open(wire::Row::FIRST), 1),
        slow(&wire::token(7), 1),
        slow(&wire::greeting(7), 2),
        slow(&wire::DOORBELL, 1),
        slow(&[1, 2, 3], 1),
    ] {
        let start = Instant::now();
        assert_violation(&house, &[send, publish(0, &[Kind::Portal], 0)]);
        assert!(start.elapsed() < NOISE);
    }
    house.assert_unharmed();
}

#[test]
fn attack_44_a_portal_that_no_server_has_taken_up_holds_nobody_up() {
    let house = house();
    let (_villain, capability) = house.villain();
    let mut server = Server::new(&house.pd).expect("a server");
    let (_, object) = server.mint().expect("an object");
    let mut send = request(&[Step::SlowPortal, ANSWER]);
    send.push(object).expect("a message holds one");
    let result = capability.call_with(&send, &mut MsgBuf::new(), Deadline::After(NOISE));
    assert_eq!(result, Ok(()));
    // It has not looked at its portals yet.
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < NOISE, "it was closed by whoever dropped the server: {:?}", start.elapsed());
    drop((send, _villain, capability));
    house.assert_unharmed();
}

#[test]
fn attack_15_a_slow_close_hides_no_death() {
    let house = house();
    let (dies, first) = house.villain();
    run(&first, &[ANSWER]).expect("it answers at first");
    let slow = Step::Send(wire::DOORBELL.to_vec(), 1, Thing::Slow);
    let (_villain, capability) = house.villain();
    let result = run(&capability, &[slow, publish(0, &[Kind::Portal], 0)]);
    assert!(matches!(result, Err(Error::Violation(_))), "{result:?}");
    // The slow descriptor is being closed, for longer than anybody here waits, by some thread of this process.
    let start = Instant::now();
    let result = first.call_with(&request(&[Step::Die]), &mut MsgBuf::new(), Deadline::After(NOISE));
    assert_eq!(result, Err(Error::Disconnected), "after {:?}", start.elapsed());
    drop((dies, first));
    drop((_villain, capability));
    house.assert_unharmed();
}

#[test]
fn attack_17_a_spoilt_doorbell_does_not_block_its_owner() {
    for doorbell in [Doorbell::Pipe, Doorbell::Socket] {
        let house = House::new(doorbell, WaitPolicy::Block);
        let (_villain, capability) = house.villain();
        run(&capability, &[Step::SpoilBell, ANSWER]).expect("it answers at first");
        for _ in 0..200 {
            run(&capability, &[ANSWER]).expect("a villain may answer");
        }
        drop((_villain, capability));
        house.assert_unharmed();
    }
}

#[test]
fn attack_17_a_portal_that_its_giver_fills_does_not_block_its_holder() {
    let house = house();
    let (_villain, capability) = house.villain();
    let mut reply = run(&capability, &[Step::DeadPortal, publish(0, &[Kind::Portal], 0)]).expect("a portal");
    let portal = reply.take(0).expect("a portal came");
    for _ in 0..12 {
        let quick = Deadline::After(Duration::from_millis(10));
        let start = Instant::now();
        let result = portal.call_with(&request(&[]), &mut MsgBuf::new(), quick);
        assert_eq!(result, Err(Error::DeadlineExceeded));
        assert!(start.elapsed() < NOISE);
    }
    // It is passed on, too: what has no room is an error and no wait.
    let mut send = request(&[ANSWER]);
    send.push(portal).expect("a message holds one");
    let result = capability.call_with(&send, &mut MsgBuf::new(), Deadline::After(LIMIT));
    assert_eq!(result, Err(Error::Busy));
    drop((send, reply, _villain, capability));
    house.assert_unharmed();
}

#[test]
fn a_call_without_a_deadline_waits_for_a_portal_to_be_taken_up_for_the_default_time_and_no_longer() {
    let house = house();
    let pd =
        Pd::with(PdOptions { deadline: Deadline::After(LIMIT), ..PdOptions::default() }).expect("a domain");
    let (villain, capability) = pd.spawn(command(env!("CARGO_BIN_EXE_villain"))).expect("a villain");
    let mut reply = run(&capability, &[Step::DeadPortal, publish(0, &[Kind::Portal], 0)]).expect("a portal");
    let portal = reply.take(0).expect("a portal came");
    for as_task in [false, true] {
        let start = Instant::now();
        let result = match as_task {
            false => portal.call_with(&request(&[]), &mut MsgBuf::new(), Deadline::Never),
            true => block_on(portal.call_async_with(Box::new(request(&[])), Deadline::Never)).map(drop),
        };
        assert_eq!(result, Err(Error::NotTakenUp), "as a task: {as_task}");
        assert!((LIMIT..LIMIT + NOISE).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
    drop((portal, reply, capability, villain, pd));
    house.assert_unharmed();
}

#[test]
fn attack_21_garbage_in_the_futex_word_costs_its_caller_no_more_than_the_deadline() {
    for wait in [WaitPolicy::Block, WaitPolicy::Adaptive, WaitPolicy::Spin] {
        let house = House::new(Doorbell::Socket, wait);
        let (_villain, capability) = house.villain();
        assert_eq!(run(&capability, &[Step::Garbage]).map(drop), Err(Error::DeadlineExceeded));
        for _ in 0..3 {
            assert_eq!(run(&capability, &[]).map(drop), Err(Error::DeadlineExceeded));
        }
        drop((_villain, capability));
        house.assert_unharmed();
    }
}
