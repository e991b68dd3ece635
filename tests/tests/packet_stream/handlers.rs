//! Streams driven by signal handlers of entrypoints.

use crate::LIMIT;
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_ipc::Pd;
use portcullis_packet_stream::{Error, Received, Signal, Sink, Source};
use portcullis_tests::stall::Stalls;
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::watchdog::Watchdog;
use std::sync::mpsc::channel;

const PACKETS: Number = 20_000;

/// Sends packets until all have come back.
struct Sender {
    source: Source<Number>,
    next: Number,
    back: Number,
    runs: u64,
}

impl Sender {
    fn handle(&mut self) -> Result<bool, Error> {
        self.runs += 1;
        while self.back < PACKETS
            && let Some(acknowledged) = self.source.try_acknowledged()?
        {
            self.source.release(acknowledged.packet);
            self.back += 1;
        }
        while self.next < PACKETS && self.source.room()? != 0 {
            let Ok(packet) = self.source.alloc(64) else { break };
            self.source.try_submit(packet, self.next)?;
            self.next += 1;
        }
        self.source.wakeup()?;
        Ok(self.back == PACKETS)
    }
}

/// Acknowledges packets, as far as there is room for that.
struct Receiver {
    sink: Sink<Number>,
    held: Option<Received<Number>>,
    done: Number,
    stalls: Stalls,
    runs: u64,
}

impl Receiver {
    fn handle(&mut self) -> Result<bool, Error> {
        self.runs += 1;
        loop {
            let Some(received) =
                self.held.take().map_or_else(|| self.sink.try_get(), |held| Ok(Some(held)))?
            else {
                break;
            };
            let number = received.control();
            assert_eq!(number, self.done, "in order, and nothing twice");
            if let Err(full) = self.sink.try_acknowledge(received, number) {
                self.held = Some(full.packet);
                break;
            }
            self.done += 1;
            self.stalls.stall();
        }
        self.sink.wakeup()?;
        Ok(self.done == PACKETS)
    }
}

/// Both sides are handlers of entrypoints on threads of their own, and never look by themselves. A signal that is lost leaves
/// both asleep, and the watchdog ends the test.
#[test]
fn g43_handlers_of_entrypoints_drive_a_stream() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(4, 2, 1 << 10)?;
    let source = Source::<Number>::new(stage.attach()?, stage.geometry)?;
    let mut sink = Sink::<Number>::new(stage.attach()?, stage.geometry)?;
    let (to_sink, of_sink) = channel();
    let (to_source, of_source) = channel();
    let thread = std::thread::spawn(move || -> Result<u64, Failure> {
        let entrypoint = Entrypoint::new(&Pd::new()?)?;
        let (ended, end) = channel();
        let context = of_source.recv()?;
        sink.set_handler(move |_: &[Signal]| portcullis_rpc::SignalCapability::submit(&context));
        let receiver = Receiver { sink, held: None, done: 0, stalls: Stalls::new(3), runs: 0 };
        let handler = move |receiver: &mut Receiver, entrypoint: &Entrypoint| {
            if receiver.handle() != Ok(false) {
                let _ = ended.send(receiver.runs);
                entrypoint.stop();
            }
        };
        let context = entrypoint.manage_signal(receiver, SignalLevel::Application, handler);
        to_sink.send(context)?;
        entrypoint.run()?;
        Ok(end.recv()?)
    });
    let entrypoint = Entrypoint::new(&Pd::new()?)?;
    let (ended, end) = channel();
    let sender = Sender { source, next: 0, back: 0, runs: 0 };
    let handler = move |sender: &mut Sender, entrypoint: &Entrypoint| {
        if sender.next == 0 {
            let Ok(context) = of_sink.recv() else { return entrypoint.stop() };
            sender.source.set_handler(move |_: &[Signal]| portcullis_rpc::SignalCapability::submit(&context));
        }
        match sender.handle() {
            Ok(false) => {}
            went => {
                let sent = sender.source.sent(Signal::PacketAvail) + sender.source.sent(Signal::ReadyToAck);
                let _ = ended.send((went, sender.runs, sent));
                entrypoint.stop();
            }
        }
    };
    let context = entrypoint.manage_signal(sender, SignalLevel::Application, handler);
    to_source.send(context.clone())?;
    // The first run.
    context.submit();
    entrypoint.run()?;
    let (went, _, sent) = end.recv()?;
    assert_eq!(went, Ok(true));
    let runs = thread.join().map_err(|_| "the sink panicked")??;
    assert!(runs <= sent, "{runs} runs of the sink's handler for {sent} signals");
    Ok(())
}
