//! What a stream costs beside its time while both sides are busy: nothing.

use crate::{LIMIT, Mortal, PROGRAM, both_cores, counts};
use portcullis_packet_stream::Source;
use portcullis_tests::resources::{eventually, sleeps, switches};
use portcullis_tests::stream::raw::words;
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::watchdog::Watchdog;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::Duration;

/// Two steady sides under a filter that kills; one may be told to break a rule at the end.
fn steady(packets: &str, breakers: [&str; 2]) -> Result<(Stage, [Child; 2]), Failure> {
    let stage = Stage::new(64, 64, 1 << 14)?;
    let source = stage.start(PROGRAM, "steady-source", &[packets, breakers[0]])?;
    let sink = stage.start(PROGRAM, "steady-sink", &[packets, breakers[1]])?;
    Ok((stage, [source, sink]))
}

#[test]
fn two_busy_sides_make_no_system_call_and_allocate_nothing() -> Result<(), Failure> {
    let _guard = both_cores();
    let _watchdog = Watchdog::start(LIMIT);
    let (_stage, sides) = steady("100000", ["", ""])?;
    for side in sides {
        assert_eq!(counts(side)?, [0], "0 is: no allocation");
    }
    Ok(())
}

#[test]
fn one_system_call_of_a_busy_side_would_be_seen() -> Result<(), Failure> {
    for broken in 0..2 {
        let _guard = both_cores();
        let _watchdog = Watchdog::start(LIMIT);
        let mut breakers = [""; 2];
        breakers[broken] = "break";
        let (_stage, sides) = steady("1000", breakers)?;
        for (index, mut side) in sides.into_iter().enumerate() {
            let signal = side.wait()?.signal();
            let killed = (index == broken).then_some(rustix::process::Signal::SYS.as_raw());
            assert_eq!(signal, killed);
        }
    }
    Ok(())
}

#[test]
fn one_allocation_of_a_busy_side_would_be_seen() -> Result<(), Failure> {
    let _guard = both_cores();
    let _watchdog = Watchdog::start(LIMIT);
    let (_stage, sides) = steady("1000", ["waste", "waste"])?;
    for side in sides {
        assert_eq!(counts(side)?, [1]);
    }
    Ok(())
}

#[test]
fn a_side_that_waits_wakes_up_for_nothing() -> Result<(), Failure> {
    const WHILE: Duration = Duration::from_millis(1_500);
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(8, 8, 1 << 12)?;
    let sink = Mortal(stage.start(PROGRAM, "sink", &["1", "adaptive", "1"])?);
    let count = || switches(sink.0.id());
    // It says that it sleeps, and does.
    let memory = stage.attach()?;
    assert!(eventually(|| {
        memory.read::<u32>(words::SINK * 8).is_ok_and(|attention| attention & 4 != 0) && sleeps(sink.0.id())
    }));
    let before = count();
    // Not to wait for anything: this is the time that is looked at.
    std::thread::sleep(WHILE);
    assert_eq!(count(), before);
    // And it would be seen.
    let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
    let packet = source.alloc(0)?;
    source.try_submit(packet, 0)?;
    source.wakeup()?;
    assert!(eventually(|| source.try_acknowledged().is_ok_and(|back| back.is_some())));
    Ok(())
}
