//! Sides that are killed in the middle of their work.

use crate::{LIMIT, Mortal, PROGRAM};
use portcullis_ipc::Deadline;
use portcullis_packet_stream::{Error, Sink, Source};
use portcullis_tests::stall::Stalls;
use portcullis_tests::stream::busy::{PATIENCE, answer};
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::watchdog::Watchdog;
use std::time::{Duration, Instant};

const ROUNDS: u64 = 50;
const SOON: Deadline = Deadline::After(Duration::from_millis(20));

fn survivor<S>(
    role: &str,
    new: impl FnOnce(&Stage) -> Result<S, Failure>,
) -> Result<(S, Mortal, Stage), Failure> {
    let stage = Stage::new(8, 8, 1 << 12)?;
    let side = new(&stage)?;
    let child = Mortal(stage.start(PROGRAM, role, &["4000000", "block", "3"])?);
    Ok((side, child, stage))
}

#[test]
fn a_source_survives_its_sink() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut stalls = Stalls::new(5);
    for _ in 0..ROUNDS {
        let (mut source, mut child, _stage) =
            survivor("sink", |stage| Ok(Source::<Number>::new(stage.attach()?, stage.geometry)?))?;
        // Content that the sink expects: none.
        let fatal = Number::try_from(stalls.below(200))?;
        let mut number = 0;
        let error = loop {
            if let Ok(packet) = source.alloc(0) {
                match source.try_submit(packet, number) {
                    Ok(()) => number += 1,
                    Err(unsubmitted) => source.release(unsubmitted.packet),
                }
            }
            source.wakeup()?;
            if number == fatal {
                child.kill()?;
            }
            match source.acknowledged(SOON) {
                Ok(acknowledged) => source.release(acknowledged.packet),
                Err(error) if number > fatal => break error,
                Err(_) => {}
            }
        };
        assert_eq!(error, Error::DeadlineExceeded, "nobody has said yet that it is gone");
        assert_eq!(
            source.free_bytes() + 64 * source.outstanding(),
            1 << 12,
            "nothing is lost but what it had"
        );
        source.hang_up().peer_is_gone();
        assert_eq!(source.acknowledged(Deadline::Never).unwrap_err(), Error::Disconnected);
    }
    Ok(())
}

#[test]
fn a_sink_survives_its_source() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let mut stalls = Stalls::new(6);
    for _ in 0..ROUNDS {
        let (mut sink, mut child, _stage) =
            survivor("source", |stage| Ok(Sink::<Number>::new(stage.attach()?, stage.geometry)?))?;
        let fatal = stalls.below(200);
        let mut taken = 0;
        let error = loop {
            if taken == fatal {
                child.kill()?;
            }
            let deadline = if taken < fatal { PATIENCE } else { SOON };
            match sink.get(deadline) {
                Ok(received) => {
                    let number = received.control();
                    assert_eq!(u64::from(number), taken, "in order, whole, and nothing twice");
                    taken += 1;
                    // Nobody takes them any more: the queue is full at last.
                    if let Err(unacknowledged) = sink.acknowledge(received, answer(number), deadline) {
                        break unacknowledged.reason;
                    }
                }
                Err(error) => break error,
            }
            sink.wakeup()?;
        };
        assert_eq!(error, Error::DeadlineExceeded, "nobody has said yet that it is gone");
        sink.hang_up().peer_is_gone();
        let gone = loop {
            match sink.get(Deadline::Never) {
                Ok(received) => drop(received),
                Err(gone) => break gone,
            }
        };
        assert_eq!(gone, Error::Disconnected, "once nothing is left to take");
    }
    Ok(())
}

#[test]
fn who_sleeps_is_woken_when_the_other_side_is_said_to_be_gone() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(8, 8, 1 << 12)?;
    let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
    let hang_up = sink.hang_up();
    let begin = Instant::now();
    let sleeper = std::thread::spawn(move || sink.get(Deadline::After(Duration::from_secs(60))).map(|_| ()));
    hang_up.peer_is_gone();
    assert_eq!(sleeper.join().map_err(|_| "it panicked")?, Err(Error::Disconnected));
    assert!(begin.elapsed() < Duration::from_secs(30));
    Ok(())
}
