//! Hostile processes that write into the dataspace what they like. Beside each a stream of honest sides goes on.

use crate::{LIMIT, Mortal, PROGRAM, counts};
use portcullis_ipc::Deadline;
use portcullis_packet_stream::{Error, Sink, Source, Violation};
use portcullis_tests::stream::raw::Raw;
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::villain::service;
use portcullis_tests::villain::town::Town;
use portcullis_tests::villain::victim::eventually;
use portcullis_tests::villain::wire::Row;
use portcullis_tests::watchdog::Watchdog;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The honest server, and the bystander.
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

const SOON: Deadline = Deadline::After(Duration::from_secs(20));

/// Runs while two honest processes use another stream, and sees that they are not disturbed.
fn beside_honest_sides(attack: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(8, 8, 1 << 12)?;
    let source = stage.start(PROGRAM, "source", &["5000", "adaptive", "1"])?;
    let sink = stage.start(PROGRAM, "sink", &["5000", "adaptive", "2"])?;
    attack()?;
    counts(source)?;
    counts(sink)?;
    Ok(())
}

/// A stage, and a villain that has done what it had to.
fn after(attack: &str, stage: &Stage) -> Result<(), Failure> {
    counts(stage.start(PROGRAM, attack, &[])?).map(drop)
}

/// A sink against a hostile source, which ends the stream by a violation.
fn attack_on_sink(attacks: &[(&str, Violation)]) -> Result<(), Failure> {
    beside_honest_sides(|| {
        for (attack, violation) in attacks {
            let stage = Stage::new(8, 8, 1 << 12)?;
            let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
            after(attack, &stage)?;
            let ended = loop {
                match sink.get(SOON) {
                    // Acknowledged when it is dropped.
                    Ok(received) if *attack == "38" => std::mem::forget(received),
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(ended, Error::Violation(*violation), "{attack}");
            assert_eq!(sink.wakeup(), Err(ended), "{attack}: for good");
        }
        Ok(())
    })
}

#[test]
fn attack_34_offset_and_size_wrap() -> Result<(), Failure> {
    attack_on_sink(&[("34-wrap", Violation::RegionOutside), ("34-outside", Violation::RegionOutside)])
}

#[test]
fn attack_35_counts_jump_and_go_back() -> Result<(), Failure> {
    let jumped = Violation::CountJumped { queue: "submit" };
    attack_on_sink(&[("35-jump", jumped), ("35-back", jumped), ("35-size", jumped)])
}

#[test]
fn attack_38_packets_overlap() -> Result<(), Failure> {
    attack_on_sink(&[("38", Violation::RegionOverlaps)])
}

#[test]
fn attack_36_a_descriptor_is_flipped_while_it_is_read() -> Result<(), Failure> {
    beside_honest_sides(|| {
        for _ in 0..200 {
            let stage = Stage::new(8, 8, 1 << 12)?;
            let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
            let _villain = Mortal(stage.start(PROGRAM, "36", &[])?);
            match sink.get(SOON) {
                // Whatever was read: it is what was checked, and stays so.
                Ok(received) => {
                    for _ in 0..1_000 {
                        assert_eq!((received.offset(), received.size()), (0, 64));
                        assert_eq!(sink.content(&received)?.view().to_vec()?.len(), 64);
                    }
                }
                Err(error) => assert_eq!(error, Error::Violation(Violation::RegionOutside)),
            }
        }
        Ok(())
    })
}

#[test]
fn attack_37_acknowledgements_that_are_none() -> Result<(), Failure> {
    beside_honest_sides(|| {
        for (attack, honest) in [("37-never", 0), ("37-twice", 1), ("37-altered", 0)] {
            let stage = Stage::new(8, 8, 1 << 12)?;
            let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
            for number in 0..2 {
                let packet = source.alloc(64)?;
                source.try_submit(packet, number)?;
            }
            source.wakeup()?;
            after(attack, &stage)?;
            for _ in 0..honest {
                let acknowledged = source.acknowledged(SOON)?;
                source.release(acknowledged.packet);
            }
            let free = source.free_bytes();
            let ended = source.acknowledged(SOON).unwrap_err();
            assert_eq!(ended, Error::Violation(Violation::NotSubmitted), "{attack}");
            assert_eq!(source.free_bytes(), free, "{attack}: nothing is freed twice");
            assert_eq!(source.outstanding(), 2 - honest, "{attack}");
        }
        Ok(())
    })
}

#[test]
fn attack_39_a_sink_that_never_acknowledges() -> Result<(), Failure> {
    beside_honest_sides(|| {
        let stage = Stage::new(8, 8, 1 << 12)?;
        let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
        let mut submitted = 0;
        let error = loop {
            let packet = match source.alloc(64) {
                Ok(packet) => packet,
                Err(error) => break error,
            };
            match source.submit(packet, submitted, Deadline::After(Duration::from_millis(50))) {
                Ok(()) => submitted += 1,
                Err(unsubmitted) => break unsubmitted.reason,
            }
        };
        assert_eq!((submitted, error), (8, Error::DeadlineExceeded), "bounded, and in time");
        Ok(())
    })
}

/// The bell, which is the futex word, changes all the time and is rung all the time: who sleeps wakes for nothing, and still
/// keeps its deadline and does its work.
#[test]
fn attack_21_40_a_storm_of_wake_ups() -> Result<(), Failure> {
    beside_honest_sides(|| {
        let stage = Stage::new(8, 8, 1 << 12)?;
        let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
        let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
        let _villain = Mortal(stage.start(PROGRAM, "40", &[])?);
        let time = Duration::from_millis(100);
        let begin = Instant::now();
        assert_eq!(sink.get(Deadline::After(time)).unwrap_err(), Error::DeadlineExceeded);
        assert!((time..Duration::from_secs(20)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
        for number in 0..100 {
            let packet = source.alloc(64)?;
            source.try_submit(packet, number)?;
            source.wakeup()?;
            assert_eq!(sink.get(SOON)?.control(), number);
            sink.wakeup()?;
            assert_eq!(source.acknowledged(SOON)?.submitted, number);
        }
        Ok(())
    })
}

/// The source never stops: there is always another packet, every acknowledgement is taken at once, and the
/// signal is submitted as often as that. The sink's handler has its turns, each no longer than the queue, and so have calls.
#[test]
fn attack_40_a_signal_with_every_packet_is_bounded() -> Result<(), Failure> {
    const QUEUE: u64 = 8;
    let turns = |town: &mut Town| {
        let data = town.launcher.call(Row::FIRST, service::TURNS, &[]).data();
        [0, 8].map(|at| u64::from_le_bytes(data[at..at + 8].try_into().expect("eight bytes")))
    };
    beside_honest_sides(|| {
        let stage = Stage::new(8, 8, 1 << 12)?;
        let mut town = Town::start_as(VICTIM, stage.command(VICTIM, &["serve", "stream"])?)?;
        let mut villain = town.villain();
        let context = villain.call(Row::FIRST, service::STREAM, &[]).row();
        let file = stage.dataspace.capability().as_fd().try_clone_to_owned()?;
        let raw = Raw::map(&file, 8, 8)?;
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    raw.flood();
                    villain.submit(context);
                }
            });
            let flows = eventually(|| turns(&mut town)[0] > 50_000);
            for _ in 0..10 {
                town.assert_bystander_unharmed();
            }
            let slowest = town.report().slowest;
            over.store(true, Ordering::Relaxed);
            assert!(flows, "the sink takes what comes");
            assert!(slowest < Duration::from_secs(10), "a call took {slowest:?} meanwhile");
        });
        let [packets, most] = turns(&mut town);
        // One may have been held since the turn before.
        assert!(most <= QUEUE + 1, "{most} of {packets} packets in one turn");
        drop(villain);
        town.assert_unharmed();
        Ok(())
    })
}

/// Everything is overwritten at random, all the time: both sides end with an error or go on, and neither panics, hangs, or
/// loses count of what is its own.
#[test]
fn attack_35_to_40_garbage_everywhere() -> Result<(), Failure> {
    beside_honest_sides(|| {
        for _ in 0..20 {
            let stage = Stage::new(8, 8, 1 << 12)?;
            let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
            let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
            let _villain = Mortal(stage.start(PROGRAM, "garbage", &[])?);
            let brief = Deadline::After(Duration::from_micros(500));
            let (mut of_source, mut of_sink) = (None, None);
            for number in 0..2_000 {
                let source_went = (|| -> Result<(), Error> {
                    if let Ok(packet) = source.alloc(64) {
                        let _ = source.submit(packet, number, brief);
                    }
                    source.wakeup()?;
                    if let Ok(acknowledged) = source.acknowledged(brief) {
                        source.release(acknowledged.packet);
                    }
                    Ok(())
                })();
                let sink_went =
                    sink.get(brief).map(|received| sink.content(&received).map(|view| view.len()));
                of_source = of_source.or(source_went.err());
                of_sink = of_sink.or(sink_went.err().filter(|error| *error != Error::DeadlineExceeded));
                assert!(source.free_bytes() + 64 * source.outstanding() <= 1 << 12);
                if of_source.is_some() && of_sink.is_some() {
                    break;
                }
            }
            for error in [of_source, of_sink].into_iter().flatten() {
                assert!(matches!(error, Error::Violation(_) | Error::Closed), "{error:?}");
            }
        }
        Ok(())
    })
}
