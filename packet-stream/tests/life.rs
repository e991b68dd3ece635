//! The life of packets: regions are the source's, the sink's, and the source's again.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod common;

use common::{geometry, pair, submit};
use portcullis_packet_stream::{Error, Geometry, Sink, Source};
use portcullis_shm::Window;

#[test]
fn g40_only_the_source_assigns_regions_and_they_never_overlap() {
    let (mut source, _sink, ..) = pair::<()>(geometry());
    let packets: Vec<_> = std::iter::from_fn(|| source.alloc(100).ok()).collect();
    assert_eq!(packets.len(), 4096 / 128, "as many as there is room for");
    let mut regions: Vec<_> = packets.iter().map(|packet| (packet.offset(), packet.size())).collect();
    regions.sort_unstable();
    assert!(regions.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{regions:?}");
    assert_eq!(source.free_bytes(), 0);
    assert_eq!(source.alloc(1).unwrap_err(), Error::BufferFull);
}

#[test]
fn g41_a_descriptor_is_a_region_and_control_fields() {
    let (mut source, mut sink, ..) = pair::<[u16; 3]>(geometry());
    let packet = source.alloc(10).unwrap();
    let place = (packet.offset(), packet.size());
    source.try_submit(packet, [1, 2, 3]).unwrap();
    source.wakeup().unwrap();
    assert_eq!(source.outstanding(), 1, "it is the sink's");
    let received = sink.try_get().unwrap().unwrap();
    assert_eq!((received.offset(), received.size()), place);
    assert_eq!(received.control(), [1, 2, 3]);
    assert_eq!(sink.held(), 1);
    sink.try_acknowledge(received, [4, 5, 6]).unwrap();
    sink.wakeup().unwrap();
    assert_eq!(sink.held(), 0);
    let acknowledged = source.try_acknowledged().unwrap().unwrap();
    assert_eq!((acknowledged.submitted, acknowledged.answered), ([1, 2, 3], [4, 5, 6]));
    assert_eq!((acknowledged.packet.offset(), acknowledged.packet.size()), place);
    assert_eq!(source.outstanding(), 0, "it is the source's again");
}

#[test]
fn g42_allocated_filled_submitted_processed_acknowledged_and_free_again() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    for round in 0..1_000_u32 {
        submit(&mut source, 0..4);
        source.wakeup().unwrap();
        for expected in 0..4 {
            let received = sink.try_get().unwrap().unwrap();
            assert_eq!(sink.content(&received).unwrap().view().to_vec().unwrap(), [expected]);
            assert_eq!(sink.held(), 1);
            if let Err(unacknowledged) = sink.try_acknowledge(received, expected) {
                // The queue holds two.
                assert_eq!(unacknowledged.reason, Error::QueueFull);
                sink.wakeup().unwrap();
                while let Some(acknowledged) = source.try_acknowledged().unwrap() {
                    source.release(acknowledged.packet);
                }
                source.wakeup().unwrap();
                sink.try_acknowledge(unacknowledged.packet, expected).unwrap();
            }
        }
        sink.wakeup().unwrap();
        while let Some(acknowledged) = source.try_acknowledged().unwrap() {
            // One handle is given back, the other dropped.
            if round % 2 == 0 {
                source.release(acknowledged.packet);
            }
        }
        assert_eq!(source.free_bytes(), 4096, "every region is free again");
    }
}

#[test]
fn what_is_dropped_goes_home() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    drop(source.alloc(4096).unwrap());
    assert_eq!(source.free_bytes(), 4096);
    submit(&mut source, [7]);
    source.wakeup().unwrap();
    drop(sink.try_get().unwrap().unwrap());
    assert_eq!(sink.held(), 1, "until it is acknowledged");
    sink.wakeup().unwrap();
    assert_eq!(sink.held(), 0);
    let acknowledged = source.try_acknowledged().unwrap().unwrap();
    assert_eq!(acknowledged.answered, 7, "with its control fields as they came");
}

#[test]
fn what_is_dropped_while_the_queue_is_full_is_acknowledged_later() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    submit(&mut source, 0..4);
    source.wakeup().unwrap();
    while sink.try_get().unwrap().is_some() {}
    sink.wakeup().unwrap();
    assert_eq!(sink.held(), 2, "the queue holds two");
    let mut back = 0;
    while let Some(acknowledged) = source.try_acknowledged().unwrap() {
        source.release(acknowledged.packet);
        source.wakeup().unwrap();
        sink.wakeup().unwrap();
        back += 1;
    }
    assert_eq!((back, sink.held(), source.outstanding()), (4, 0, 0));
}

#[test]
fn a_shortened_packet_needs_less() {
    let (mut source, mut sink, ..) = pair::<()>(geometry());
    let mut packet = source.alloc(1_000).unwrap();
    packet.truncate(60);
    packet.truncate(2_000);
    source.try_submit(packet, ()).unwrap();
    source.wakeup().unwrap();
    assert_eq!(source.free_bytes(), 4096 - 64);
    let received = sink.try_get().unwrap().unwrap();
    assert_eq!(received.size(), 60);
    sink.try_acknowledge(received, ()).unwrap();
    sink.wakeup().unwrap();
    drop(source.try_acknowledged().unwrap());
    assert_eq!(source.free_bytes(), 4096);
}

#[test]
fn a_packet_without_content_is_one_all_the_same() {
    let (mut source, mut sink, ..) = pair::<u32>(geometry());
    for operation in [1, 2] {
        let packet = source.alloc(0).unwrap();
        source.try_submit(packet, operation).unwrap();
    }
    source.wakeup().unwrap();
    for operation in [1, 2] {
        let received = sink.try_get().unwrap().unwrap();
        assert_eq!((received.size(), received.control()), (0, operation));
        sink.try_acknowledge(received, 0).unwrap();
    }
    sink.wakeup().unwrap();
    assert_eq!(source.try_acknowledged().unwrap().unwrap().submitted, 1);
    assert_eq!(source.try_acknowledged().unwrap().unwrap().submitted, 2);
}

#[test]
fn alignment_is_kept() {
    let (mut source, ..) = pair::<()>(Geometry::new(4, 4, 1 << 16).unwrap());
    let _first = source.alloc(1).unwrap();
    for align in [1, 64, 128, 512, 4096, 1 << 14] {
        let packet = source.alloc_aligned(100, align).unwrap();
        assert!(packet.offset().is_multiple_of(align), "{align}");
    }
    for impossible in [0, 3] {
        assert!(matches!(source.alloc_aligned(1, impossible), Err(Error::PacketTooLarge { .. })));
    }
    assert!(matches!(source.alloc((1 << 16) + 1), Err(Error::PacketTooLarge { .. })));
}

#[test]
fn a_full_queue_gives_the_packet_back() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    submit(&mut source, 0..4);
    let packet = source.alloc(9).unwrap();
    let unsubmitted = source.try_submit(packet, 4).unwrap_err();
    assert_eq!((unsubmitted.reason, unsubmitted.packet.size()), (Error::QueueFull, 9));
    assert_eq!(source.room(), Ok(0));
    assert!(sink.try_get().unwrap().is_some(), "a full queue is shown at once");
    sink.wakeup().unwrap();
    source.try_submit(unsubmitted.packet, 4).unwrap();
}

#[test]
fn handles_of_another_stream_are_refused_and_go_home() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let (mut other, mut other_sink, ..) = pair::<u8>(geometry());
    let foreign = other.alloc(4096).unwrap();
    assert_eq!(source.content(&foreign).unwrap_err(), Error::WrongStream);
    let unsubmitted = source.try_submit(foreign, 1).unwrap_err();
    assert_eq!(unsubmitted.reason, Error::WrongStream);
    source.release(unsubmitted.packet);
    assert_eq!(other.free_bytes(), 4096, "it went home");
    submit(&mut other, [1]);
    other.wakeup().unwrap();
    let received = other_sink.try_get().unwrap().unwrap();
    assert_eq!(sink.content(&received).unwrap_err(), Error::WrongStream);
    assert_eq!(sink.try_acknowledge(received, 1).unwrap_err().reason, Error::WrongStream);
}

#[test]
fn the_two_sides_must_be_made_alike() {
    let (source, _, memory) = pair::<u8>(geometry());
    let other = Geometry::new(2, 2, 4096).unwrap();
    assert_eq!(Sink::<u8>::new(memory.clone(), other).unwrap_err(), Error::Mismatch);
    assert_eq!(Sink::<u16>::new(memory.clone(), source.geometry()).unwrap_err(), Error::Mismatch);
    let larger = Geometry::new(4, 2, 8192).unwrap();
    assert!(matches!(Source::<u8>::new(memory, larger), Err(Error::DataspaceTooSmall { .. })));
}

#[test]
fn an_orderly_end_loses_nothing() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    submit(&mut source, [1, 2]);
    drop(source);
    assert_eq!(sink.try_get().unwrap().unwrap().control(), 1);
    assert_eq!(sink.try_get().unwrap().unwrap().control(), 2);
    assert_eq!(sink.try_get().unwrap_err(), Error::Closed);
    let (mut source, sink, ..) = pair::<u8>(geometry());
    drop(sink);
    submit(&mut source, [1]);
    assert_eq!(source.wakeup(), Err(Error::Closed));
    assert_eq!(source.try_acknowledged().unwrap_err(), Error::Closed);
}

#[test]
fn a_revoked_dataspace_is_an_error() {
    let dataspace = common::dataspace::<u8>(geometry());
    let (mut source, mut sink, _) = common::pair_in::<u8>(&dataspace, geometry());
    submit(&mut source, [1]);
    source.wakeup().unwrap();
    let received = sink.try_get().unwrap().unwrap();
    dataspace.free();
    let revoked = Error::Memory(portcullis_shm::Error::Revoked);
    assert_eq!(sink.content(&received).unwrap().view().to_vec(), Err(portcullis_shm::Error::Revoked));
    assert_eq!(sink.wakeup(), Err(revoked));
    assert_eq!(source.wakeup(), Err(revoked));
    assert_eq!(source.try_acknowledged().unwrap_err(), revoked);
}

#[test]
fn a_stream_lies_wherever_it_was_attached() {
    let geometry = geometry();
    let dataspace = common::dataspace::<()>(Geometry::new(4, 2, 1 << 16).unwrap());
    let window = Window::new(8192, geometry.bytes::<()>());
    let mut source = Source::<()>::new(dataspace.attach(window).unwrap(), geometry).unwrap();
    let mut sink = Sink::<()>::new(dataspace.attach(window).unwrap(), geometry).unwrap();
    let packet = source.alloc(1).unwrap();
    source.try_submit(packet, ()).unwrap();
    source.wakeup().unwrap();
    assert!(sink.try_get().unwrap().is_some());
}

/// The source waits for acknowledgements of packets that were dropped, and the sink for packets.
#[test]
fn a_sink_that_waits_acknowledges_what_it_has_dropped_meanwhile() {
    use portcullis_ipc::Deadline;
    let limit = Deadline::After(std::time::Duration::from_secs(60));
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    submit(&mut source, 0..4);
    source.wakeup().unwrap();
    let waiting = std::thread::spawn(move || {
        for _ in 0..4 {
            drop(sink.get(limit)?);
        }
        sink.get(limit).map(|received| received.control())
    });
    for _ in 0..4 {
        let acknowledged = source.acknowledged(limit).unwrap();
        source.release(acknowledged.packet);
    }
    submit(&mut source, [9]);
    source.wakeup().unwrap();
    assert_eq!(waiting.join().unwrap(), Ok(9));
}
