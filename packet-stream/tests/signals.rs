//! The four signals are sent on their edges, and on no others.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{Diary, geometry, pair, submit};
use portcullis_packet_stream::{Error, Geometry, Received, Signal, Sink, Source};
use proptest::prelude::*;
use std::collections::VecDeque;

const SIGNALS: [Signal; 4] =
    [Signal::PacketAvail, Signal::ReadyToSubmit, Signal::AckAvail, Signal::ReadyToAck];

/// How often each signal was sent.
fn sent(source: &Source<u8>, sink: &Sink<u8>) -> [u64; 4] {
    SIGNALS.map(|signal| source.sent(signal) + sink.sent(signal))
}

#[test]
fn pending_is_all_that_there_is_and_shows_what_was_taken() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let to_sink = Diary::default();
    source.set_handler(to_sink.clone());
    assert_eq!(sink.pending(), Ok(0));
    submit(&mut source, 0..2);
    source.wakeup().unwrap();
    assert_eq!(sink.pending(), Ok(2));
    submit(&mut source, 2..4);
    source.wakeup().unwrap();
    assert_eq!(sink.pending(), Ok(4), "more than was known");
    assert_eq!(to_sink.take().len(), 1);
    let held: Vec<_> = std::iter::from_fn(|| sink.try_get().unwrap()).take(4).collect();
    // Whoever is told that there is nothing is signalled when there is something again.
    assert_eq!(sink.pending(), Ok(0));
    submit(&mut source, [4]);
    source.wakeup().unwrap();
    assert_eq!(to_sink.take(), [[Signal::PacketAvail]]);
    drop(held);
    drop(source);
    assert_eq!(sink.pending(), Ok(1), "what was put before the end");
    let _last = sink.try_get().unwrap().unwrap();
    assert_eq!(sink.pending(), Err(Error::Closed));
}

#[test]
fn g43_edge_signals() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let (to_sink, to_source) = (Diary::default(), Diary::default());
    source.set_handler(to_sink.clone());
    sink.set_handler(to_source.clone());
    let both = || (to_sink.take(), to_source.take());
    let nothing = (vec![], vec![]);
    assert_eq!(both(), nothing, "new queues");

    submit(&mut source, [0]);
    assert_eq!(both(), nothing, "before the wakeup");
    source.wakeup().unwrap();
    assert_eq!(both(), (vec![vec![Signal::PacketAvail]], vec![]), "into an empty submit queue");
    for byte in 1..4 {
        submit(&mut source, [byte]);
        source.wakeup().unwrap();
    }
    source.wakeup().unwrap();
    assert_eq!(both(), nothing, "not empty, full at last");

    let mut held: VecDeque<Received<u8>> = VecDeque::new();
    held.extend(sink.try_get().unwrap());
    assert_eq!(both(), nothing, "before the wakeup");
    sink.wakeup().unwrap();
    assert_eq!(both(), (vec![], vec![vec![Signal::ReadyToSubmit]]), "from a full submit queue");
    while let Some(received) = sink.try_get().unwrap() {
        held.push_back(received);
        sink.wakeup().unwrap();
    }
    assert_eq!(both(), nothing, "not full, empty at last");

    let answer = |sink: &mut Sink<u8>, held: &mut VecDeque<Received<u8>>| {
        sink.try_acknowledge(held.pop_front().unwrap(), 0).unwrap();
        sink.wakeup().unwrap();
    };
    answer(&mut sink, &mut held);
    assert_eq!(both(), (vec![], vec![vec![Signal::AckAvail]]), "into an empty queue of acknowledgements");
    answer(&mut sink, &mut held);
    assert_eq!(both(), nothing, "not empty, full now");
    drop(source.try_acknowledged().unwrap().unwrap());
    source.wakeup().unwrap();
    assert_eq!(both(), (vec![vec![Signal::ReadyToAck]], vec![]), "from a full queue of acknowledgements");
    drop(source.try_acknowledged().unwrap().unwrap());
    source.wakeup().unwrap();
    assert_eq!(both(), nothing, "not full, empty now");
    assert_eq!(sent(&source, &sink), [1; 4]);
}

#[test]
fn at_most_one_notification_to_a_wakeup() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let to_sink = Diary::default();
    source.set_handler(to_sink.clone());
    submit(&mut source, 0..4);
    source.wakeup().unwrap();
    for _ in 0..2 {
        let received = sink.try_get().unwrap().unwrap();
        sink.try_acknowledge(received, 0).unwrap();
    }
    let rest: Vec<_> = std::iter::from_fn(|| sink.try_get().unwrap()).collect();
    sink.wakeup().unwrap();
    to_sink.take();
    // Both edges at once, each with several packets.
    submit(&mut source, 0..3);
    drop(source.try_acknowledged().unwrap().unwrap());
    drop(source.try_acknowledged().unwrap().unwrap());
    source.wakeup().unwrap();
    assert_eq!(to_sink.take(), [[Signal::PacketAvail, Signal::ReadyToAck]]);
    assert_eq!(rest.len(), 2);
}

#[test]
fn a_handler_on_a_queue_that_holds_work_is_told_at_once() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    submit(&mut source, 0..4);
    source.wakeup().unwrap();
    let (first, second) = (Diary::default(), Diary::default());
    source.set_handler(first.clone());
    assert_eq!(first.take(), [[Signal::PacketAvail]]);
    source.set_handler(second.clone());
    assert_eq!(second.take(), [[Signal::PacketAvail]], "the queue still holds work");
    // The sink takes from the full queue before anybody can be told of that.
    let received = sink.try_get().unwrap().unwrap();
    sink.wakeup().unwrap();
    sink.set_handler(first.clone());
    assert_eq!(first.take(), [[Signal::ReadyToSubmit]]);
    sink.try_acknowledge(received, 0).unwrap();
    sink.wakeup().unwrap();
    assert_eq!(first.take(), [[Signal::AckAvail]]);
    while sink.try_get().unwrap().is_some() {}
    sink.wakeup().unwrap();
    source.set_handler(first.clone());
    assert!(first.take().is_empty(), "there is nothing to take");
}

#[test]
fn who_looks_by_himself_is_told_nothing() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let to_sink = Diary::default();
    source.set_handler(to_sink.clone());
    sink.watch();
    submit(&mut source, [1]);
    source.wakeup().unwrap();
    assert!(to_sink.take().is_empty());
    assert!(sink.unwatch().unwrap(), "something came meanwhile");
    assert!(sink.try_get().unwrap().is_some());
    assert!(!sink.unwatch().unwrap(), "nothing more");
    submit(&mut source, [2]);
    source.wakeup().unwrap();
    assert_eq!(to_sink.take(), [[Signal::PacketAvail]]);
}

/// The queues as the checklist has them: a step at a time, each followed by its side's wakeup.
#[derive(Default)]
struct Model {
    submitted: usize,
    held: usize,
    acknowledged: usize,
    edges: [u64; 4],
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit,
    Get,
    Acknowledge,
    TakeAcknowledgement,
}

proptest! {
    /// Whatever the two sides do, the signals are those of the edges.
    #[test]
    fn g43_random_steps_signal_exactly_on_the_edges(
        submit_queue in 0_u32..4,
        acknowledge_queue in 0_u32..4,
        steps in prop::collection::vec(
            prop_oneof![
                Just(Step::Submit), Just(Step::Get), Just(Step::Acknowledge), Just(Step::TakeAcknowledgement)
            ],
            0..400,
        ),
    ) {
        let geometry = Geometry::new(1 << submit_queue, 1 << acknowledge_queue, 1 << 16).unwrap();
        let (mut source, mut sink, ..) = pair::<u8>(geometry);
        let (submit_queue, acknowledge_queue) = (geometry.submit(), geometry.acknowledge());
        let mut model = Model::default();
        let mut held = VecDeque::new();
        for step in steps {
            match step {
                Step::Submit => {
                    let packet = source.alloc(1).unwrap();
                    let done = source.try_submit(packet, 0).is_ok();
                    prop_assert_eq!(done, model.submitted < submit_queue);
                    if done {
                        model.edges[0] += u64::from(model.submitted == 0);
                        model.submitted += 1;
                    }
                    source.wakeup().unwrap();
                }
                Step::Get => {
                    let received = sink.try_get().unwrap();
                    prop_assert_eq!(received.is_some(), model.submitted > 0);
                    if let Some(received) = received {
                        model.edges[1] += u64::from(model.submitted == submit_queue);
                        model.submitted -= 1;
                        model.held += 1;
                        held.push_back(received);
                    }
                    sink.wakeup().unwrap();
                }
                Step::Acknowledge => {
                    let Some(received) = held.pop_front() else { continue };
                    match sink.try_acknowledge(received, 0) {
                        Ok(()) => {
                            prop_assert!(model.acknowledged < acknowledge_queue);
                            model.edges[2] += u64::from(model.acknowledged == 0);
                            model.acknowledged += 1;
                            model.held -= 1;
                        }
                        Err(unacknowledged) => {
                            prop_assert_eq!(model.acknowledged, acknowledge_queue);
                            held.push_front(unacknowledged.packet);
                        }
                    }
                    sink.wakeup().unwrap();
                }
                Step::TakeAcknowledgement => {
                    let acknowledged = source.try_acknowledged().unwrap();
                    prop_assert_eq!(acknowledged.is_some(), model.acknowledged > 0);
                    if let Some(acknowledged) = acknowledged {
                        model.edges[3] += u64::from(model.acknowledged == acknowledge_queue);
                        model.acknowledged -= 1;
                        source.release(acknowledged.packet);
                    }
                    source.wakeup().unwrap();
                }
            }
            prop_assert_eq!(sent(&source, &sink), model.edges);
            prop_assert_eq!(sink.held(), model.held);
            prop_assert_eq!(source.outstanding(), model.submitted + model.held + model.acknowledged);
        }
    }
}
