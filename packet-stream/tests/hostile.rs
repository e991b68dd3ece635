//! What the other side can write, and what becomes of it. Here it is another attachment that writes; in the top-level tests it
//! is another process.
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]
#![allow(clippy::cast_possible_truncation)] // places in a queue

mod common;

use common::{
    ACKNOWLEDGE_ENTRIES, ACKNOWLEDGE_PUT, ACKNOWLEDGE_TAKEN, SUBMIT_ENTRIES, SUBMIT_PUT, SUBMIT_TAKEN,
    geometry, pair, submit,
};
use portcullis_packet_stream::{Error, Violation};
use portcullis_shm::Attachment;
use proptest::prelude::*;

fn region(offset: u32, size: u32) -> u64 {
    u64::from(offset) | u64::from(size) << 32
}

/// Puts an entry into the submit queue as a source would, whatever it says.
fn forge_packet(memory: &Attachment, region: u64, control: u64) {
    let put = memory.read::<u64>(SUBMIT_PUT).unwrap();
    let entry = SUBMIT_ENTRIES + usize::from(put.to_le_bytes()[0] % 4) * 16;
    memory.write(entry, &region).unwrap();
    memory.write(entry + 8, &control).unwrap();
    memory.write(SUBMIT_PUT, &(put + 1)).unwrap();
}

/// Puts an entry into the queue of acknowledgements as a sink would, whatever it says.
fn forge_acknowledgement(memory: &Attachment, region: u64) {
    let put = memory.read::<u64>(ACKNOWLEDGE_PUT).unwrap();
    let entry = ACKNOWLEDGE_ENTRIES + usize::from(put.to_le_bytes()[0] % 2) * 16;
    memory.write(entry, &region).unwrap();
    memory.write(ACKNOWLEDGE_PUT, &(put + 1)).unwrap();
}

#[test]
fn attack_34_packets_outside_of_the_buffer_end_the_stream() {
    for alleged in [
        region(0, 4097),
        region(4032, 65),
        region(4096, 0),
        region(u32::MAX - 63, 64),
        region(64, u32::MAX),
        region(1, 1),
        u64::MAX,
    ] {
        let (_source, mut sink, memory) = pair::<u8>(geometry());
        forge_packet(&memory, alleged, 0);
        let ended = Error::Violation(Violation::RegionOutside);
        assert_eq!(sink.try_get().unwrap_err(), ended, "{alleged:#x}");
        assert_eq!(sink.try_get().unwrap_err(), ended, "and for good");
        assert_eq!(sink.wakeup().unwrap_err(), ended);
    }
}

#[test]
fn attack_34_the_other_side_learns_that_the_stream_has_ended() {
    let (mut source, mut sink, memory) = pair::<u8>(geometry());
    forge_packet(&memory, u64::MAX, 0);
    assert!(sink.try_get().is_err());
    assert_eq!(source.try_acknowledged().unwrap_err(), Error::Closed);
}

#[test]
fn attack_35_counts_that_jump_or_go_back_end_the_stream() {
    for (place, queue, to_source) in [
        (SUBMIT_PUT, "submit", false),
        (SUBMIT_TAKEN, "submit", true),
        (ACKNOWLEDGE_PUT, "acknowledgement", true),
        (ACKNOWLEDGE_TAKEN, "acknowledgement", false),
    ] {
        for count in [1_000, u64::MAX, u64::MAX / 2, 1 << 63] {
            let (mut source, mut sink, memory) = pair::<u8>(geometry());
            submit(&mut source, 0..4);
            source.wakeup().unwrap();
            let mut taken: Vec<_> = (0..4).map(|_| sink.try_get().unwrap().unwrap()).collect();
            for _ in 0..2 {
                sink.try_acknowledge(taken.pop().unwrap(), 0).unwrap();
            }
            memory.write(place, &count).unwrap();
            let ended = Err(Error::Violation(Violation::CountJumped { queue }));
            if to_source {
                let found = match queue {
                    "submit" => source.room().map(|_| ()),
                    _ => source.try_acknowledged().map(|_| ()),
                };
                assert_eq!(found, ended, "{place} {count:#x}");
                assert_eq!(source.wakeup(), ended);
            } else {
                let found = match queue {
                    "submit" => sink.try_get().map(|_| ()),
                    _ => sink.try_acknowledge(taken.pop().unwrap(), 0).map_err(|error| error.reason),
                };
                assert_eq!(found, ended, "{place} {count:#x}");
                assert_eq!(sink.wakeup(), ended);
            }
        }
    }
}

#[test]
fn attack_35_a_count_that_goes_back_by_one_ends_the_stream() {
    let (mut source, mut sink, memory) = pair::<u8>(geometry());
    submit(&mut source, 0..2);
    source.wakeup().unwrap();
    let _held = (sink.try_get().unwrap().unwrap(), sink.try_get().unwrap().unwrap());
    memory.write(SUBMIT_PUT, &1_u64).unwrap();
    assert!(matches!(sink.try_get(), Err(Error::Violation(Violation::CountJumped { queue: "submit" }))));
}

#[test]
fn attack_36_a_descriptor_is_read_once() {
    let (mut source, mut sink, memory) = pair::<u8>(geometry());
    submit(&mut source, [9]);
    source.wakeup().unwrap();
    let received = sink.try_get().unwrap().unwrap();
    // After the check everything of it is changed.
    memory.write(SUBMIT_ENTRIES, &region(0, u32::MAX)).unwrap();
    memory.write(SUBMIT_ENTRIES + 8, &0_u64).unwrap();
    assert_eq!((received.offset(), received.size(), received.control()), (0, 1, 9));
    assert_eq!(sink.content(&received).unwrap().len(), 1);
    sink.try_acknowledge(received, 9).unwrap();
    sink.wakeup().unwrap();
    assert!(source.try_acknowledged().unwrap().is_some());
}

#[test]
fn attack_36_control_fields_that_are_no_value_end_the_stream() {
    let (_source, mut sink, memory) = pair::<bool>(geometry());
    forge_packet(&memory, region(0, 1), 2);
    assert_eq!(sink.try_get().unwrap_err(), Error::Violation(Violation::Control));
}

#[test]
fn attack_37_acknowledgements_that_are_none_free_nothing() {
    let honest = |offset| region(offset, 1);
    for (forged, what) in [
        (&[honest(64)][..], "never submitted"),
        (&[honest(0), honest(0)], "twice"),
        (&[region(0, 2)], "longer"),
        (&[region(0, 0)], "shorter"),
        (&[region(1, 1)], "elsewhere"),
        (&[u64::MAX], "outside"),
    ] {
        let (mut source, _sink, memory) = pair::<u8>(geometry());
        submit(&mut source, [1]);
        source.wakeup().unwrap();
        for alleged in forged {
            forge_acknowledgement(&memory, *alleged);
        }
        for _ in 1..forged.len() {
            source.try_acknowledged().unwrap().unwrap();
        }
        let free = source.free_bytes();
        assert_eq!(
            source.try_acknowledged().unwrap_err(),
            Error::Violation(Violation::NotSubmitted),
            "{what}"
        );
        assert_eq!(source.free_bytes(), free, "{what}");
        assert_eq!(
            source.try_acknowledged().unwrap_err(),
            Error::Violation(Violation::NotSubmitted),
            "{what}"
        );
    }
}

#[test]
fn attack_38_packets_that_overlap_end_the_stream() {
    for second in [region(0, 100), region(64, 1), region(0, 0)] {
        let (_source, mut sink, memory) = pair::<u8>(geometry());
        forge_packet(&memory, region(0, 128), 0);
        forge_packet(&memory, second, 0);
        let first = sink.try_get().unwrap().unwrap();
        assert_eq!(sink.try_get().unwrap_err(), Error::Violation(Violation::RegionOverlaps));
        // What was got before is a copy away as ever.
        assert_eq!(sink.content(&first).unwrap().len(), 128);
    }
}

#[test]
fn attack_38_a_region_may_come_again_once_it_is_acknowledged() {
    let (_source, mut sink, memory) = pair::<u8>(geometry());
    for _ in 0..2 {
        forge_packet(&memory, region(0, 128), 0);
        let received = sink.try_get().unwrap().unwrap();
        sink.try_acknowledge(received, 0).unwrap();
    }
}

#[test]
fn attack_39_a_sink_that_never_acknowledges_is_bounded() {
    let (mut source, mut sink, ..) = pair::<u8>(geometry());
    let mut held = Vec::new();
    let mut submitted = 0;
    while let Ok(packet) = source.alloc(512) {
        source.try_submit(packet, 0).unwrap();
        source.wakeup().unwrap();
        held.extend(sink.try_get().unwrap());
        sink.wakeup().unwrap();
        submitted += 1;
    }
    assert_eq!((submitted, held.len()), (8, 8), "the buffer bounds it");
    assert_eq!(source.alloc(1).unwrap_err(), Error::BufferFull);
    let deadline = portcullis_ipc::Deadline::After(std::time::Duration::from_millis(1));
    assert_eq!(source.acknowledged(deadline).unwrap_err(), Error::DeadlineExceeded);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write(usize, u64),
    Source,
    Sink,
}

proptest! {
    /// Whatever is written wherever: no panic, no access outside (each would be an error of the memory), and each region is at
    /// most once free.
    #[test]
    fn attack_35_to_38_random_words_harm_nobody_but_the_stream(
        steps in prop::collection::vec(
            prop_oneof![
                1 => (0_usize..150, prop_oneof![0_u64..8, any::<u64>(), (0_u64..5_000).prop_map(|low| low | 1 << 32)])
                    .prop_map(|(word, value)| Step::Write(word * 8, value)),
                2 => Just(Step::Source),
                2 => Just(Step::Sink),
            ],
            1..200,
        ),
    ) {
        let (mut source, mut sink, memory) = pair::<u8>(geometry());
        for step in steps {
            match step {
                Step::Write(place, value) => memory.write(place, &value).unwrap(),
                Step::Source => {
                    if let Ok(packet) = source.alloc(300) {
                        source.content(&packet).unwrap().copy_from(&[1; 300]).unwrap();
                        let _ = source.try_submit(packet, 1);
                    }
                    if let Ok(Some(acknowledged)) = source.try_acknowledged() {
                        prop_assert!(acknowledged.packet.size() <= 300);
                        source.release(acknowledged.packet);
                    }
                    let _ = source.wakeup();
                    prop_assert!(source.free_bytes() + source.outstanding() * 320 <= 4096);
                }
                Step::Sink => {
                    if let Ok(Some(received)) = sink.try_get() {
                        let copy = sink.content(&received).unwrap().view().to_vec().unwrap();
                        prop_assert_eq!(copy.len(), received.size());
                        let _ = sink.try_acknowledge(received, 1);
                    }
                    let _ = sink.wakeup();
                }
            }
        }
    }
}
