//! Two processes, or two threads with handlers, held up at random: nobody waits for a signal that does not come.

use crate::{LIMIT, PROGRAM, counts};
use portcullis_packet_stream::{Notify, Signal, Sink, Source};
use portcullis_tests::stall::Stalls;
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::watchdog::Watchdog;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// 100,000 packets, unless `PORTCULLIS_PACKETS` says more.
fn packets() -> Number {
    let asked = std::env::var("PORTCULLIS_PACKETS").ok().and_then(|packets| packets.parse().ok());
    asked.unwrap_or(100_000)
}

fn limit() -> Duration {
    LIMIT.max(Duration::from_micros(u64::from(packets()) * 300))
}

/// A source and a sink in processes of their own.
fn between_processes(policies: [&str; 2], [submit, acknowledge]: [u32; 2]) -> Result<(), Failure> {
    let _watchdog = Watchdog::start(limit());
    let stage = Stage::new(submit, acknowledge, 1 << 12)?;
    let number = packets();
    let packets = number.to_string();
    let source = stage.start(PROGRAM, "source", &[&packets, policies[0], "11"])?;
    let sink = stage.start(PROGRAM, "sink", &[&packets, policies[1], "12"])?;
    let (of_source, of_sink) = (counts(source)?, counts(sink)?);
    for signals in of_source.iter().chain(&of_sink) {
        assert!(*signals <= number.into(), "at most one to a packet");
    }
    eprintln!("of {packets} packets: signals of the source {of_source:?}, of the sink {of_sink:?}");
    Ok(())
}

#[test]
fn g43_no_signal_is_lost_by_sides_that_sleep() -> Result<(), Failure> {
    between_processes(["block", "block"], [8, 8])
}

#[test]
fn g43_no_signal_is_lost_by_sides_that_look_for_a_while() -> Result<(), Failure> {
    between_processes(["adaptive", "block"], [2, 4])
}

#[test]
fn g43_no_signal_is_lost_where_each_packet_is_an_edge() -> Result<(), Failure> {
    between_processes(["adaptive", "adaptive"], [1, 1])
}

/// A signal context: remembers that there was a signal, not how many.
struct Context(SyncSender<()>);

impl Notify for Context {
    fn notify(&self, _: &[Signal]) {
        let _ = self.0.try_send(());
    }
}

fn context() -> (Context, Receiver<()>) {
    let (sender, receiver) = sync_channel(1);
    (Context(sender), receiver)
}

/// Runs a handler once for each signal until it says that all is done. A signal that is lost is a timeout.
fn handle(signals: &Receiver<()>, mut run: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    while !run()? {
        match signals.recv_timeout(Duration::from_secs(30)) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Err("a signal was lost".into()),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Ok(())
}

/// Neither side ever looks by itself, as handlers of an entrypoint do not.
#[test]
fn g43_no_signal_is_lost_by_handlers() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(limit());
    let packets = packets();
    let stage = Stage::new(4, 2, 1 << 10)?;
    let mut source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
    let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
    let ((to_sink, of_sink), (to_source, of_source)) = (context(), context());
    source.set_handler(to_sink);
    sink.set_handler(to_source);
    let thread = std::thread::spawn(move || -> Result<(), Failure> {
        let (mut stalls, mut done, mut held) = (Stalls::new(2), 0, None);
        handle(&of_sink, || {
            while done < packets
                && let Some(received) = held.take().map_or_else(|| sink.try_get(), |held| Ok(Some(held)))?
            {
                let number = received.control();
                if let Err(unacknowledged) = sink.try_acknowledge(received, number) {
                    held = Some(unacknowledged.packet);
                    break;
                }
                done += 1;
                stalls.stall();
            }
            let told = sink.wakeup();
            // A source that has all back may have ended before that.
            if done < packets {
                told?;
            }
            Ok(done == packets)
        })
    });
    let (mut stalls, mut next, mut back) = (Stalls::new(1), 0, 0);
    handle(&of_source, || {
        // A sink that has done its part ends.
        while back < packets
            && let Some(acknowledged) = source.try_acknowledged()?
        {
            source.release(acknowledged.packet);
            back += 1;
        }
        while next < packets && source.room()? != 0 {
            let Ok(packet) = source.alloc(64) else { break };
            source.try_submit(packet, next)?;
            next += 1;
            stalls.stall();
        }
        let told = source.wakeup();
        if back < packets {
            told?;
        }
        Ok(back == packets)
    })?;
    thread.join().map_err(|_| "the sink panicked")?
}
