//! What Genode runs against its own packet streams, with the state asserted instead of a log line.

use crate::{LIMIT, Mortal, PROGRAM, counts};
use portcullis_packet_stream::{Duplex, Error, Geometry, OperationSink, OperationSource, Sink, Source};
use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
use portcullis_tests::stall::Stalls;
use portcullis_tests::stream::busy::PATIENCE;
use portcullis_tests::stream::devices::disk;
use portcullis_tests::stream::payload::{BlockOperation, DISK, Opcode, Outcome};
use portcullis_tests::stream::{Failure, Number, Stage};
use portcullis_tests::watchdog::Watchdog;
use std::process::Child;

/// The first end of two streams, and a process with the second.
fn ends(stage: &Stage, role: &str) -> Result<(Duplex<Number, Number>, Child), Failure> {
    let both = [stage.geometry; 2];
    let [out, back] = Duplex::<Number, Number>::windows(both);
    let attached = [stage.dataspace.attach(out)?, stage.dataspace.attach(back)?];
    Ok((Duplex::first(attached, both)?, stage.start(PROGRAM, role, &[])?))
}

/// One packet to the other end and its echo; answers where the packet lay.
fn round_trip(ends: &mut Duplex<Number, Number>, number: Number, content: &[u8]) -> Result<usize, Failure> {
    let packet = ends.source.alloc(content.len())?;
    let offset = packet.offset();
    ends.source.content(&packet)?.copy_from(content)?;
    ends.source.try_submit(packet, number)?;
    ends.wakeup()?;
    let echo = ends.sink.get(PATIENCE)?;
    assert_eq!(echo.control(), number);
    assert_eq!(ends.sink.content(&echo)?.view().to_vec()?, content);
    ends.sink.acknowledge(echo, number, PATIENCE)?;
    ends.wakeup()?;
    let acknowledged = ends.source.acknowledged(PATIENCE)?;
    assert_eq!((acknowledged.submitted, acknowledged.answered), (number, number));
    ends.source.release(acknowledged.packet);
    Ok(offset)
}

#[test]
fn g45_scenario_18_nic_loopback_round_trips() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(64, 64, 1 << 17)?;
    let (mut ends, child) = ends(&stage, "loopback")?;
    let content: Vec<u8> = (0..1_514_u32).map(|index| index.to_le_bytes()[0]).collect();
    let offsets = (0..14).map(|number| round_trip(&mut ends, number, &content));
    let offsets = offsets.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(offsets.len(), 14);
    // A region that is free again is used again as long as nothing speaks against it.
    let again = round_trip(&mut ends, 14, &content[..1])?;
    assert!(again < 1 << 17);
    drop(ends);
    assert_eq!(counts(child)?, [15]);
    Ok(())
}

#[test]
fn g45_scenario_18_nic_loopback_a_batch_of_1000() -> Result<(), Failure> {
    const BATCH: Number = 1_000;
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(1 << 10, 1 << 10, 1 << 20)?;
    let (mut ends, child) = ends(&stage, "loopback")?;
    let (mut sent, mut acknowledged, mut received) = (0, 0, 0);
    while acknowledged < BATCH || received < BATCH {
        while sent < BATCH && ends.source.room()? != 0 {
            let Ok(packet) = ends.source.alloc(100) else { break };
            ends.source.try_submit(packet, sent)?;
            sent += 1;
        }
        ends.wakeup()?;
        while let Some(back) = ends.source.try_acknowledged()? {
            ends.source.release(back.packet);
            acknowledged += 1;
        }
        while let Some(echo) = ends.sink.try_get()? {
            assert_eq!(echo.control(), received, "in order");
            received += 1;
            ends.sink.try_acknowledge(echo, 0)?;
        }
        ends.wakeup()?;
        if acknowledged < BATCH || received < BATCH {
            ends.wait(PATIENCE)?;
        }
    }
    assert_eq!((sent, acknowledged, received), (BATCH, BATCH, BATCH));
    assert_eq!(ends.source.free_bytes(), 1 << 20);
    drop(ends);
    assert_eq!(counts(child)?, [u64::from(BATCH)]);
    Ok(())
}

/// The queue is full again and again, by a source that never waits for anything else.
#[test]
fn scenario_19_fs_packet_saturates_the_queue() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(16, 16, 1 << 16)?;
    let (mut ends, child) = ends(&stage, "black-hole")?;
    let (mut sent, mut acknowledged, mut full) = (0, 0, 0);
    while acknowledged < 1_024 {
        while sent < 1_024 {
            let packet = ends.source.alloc(0)?;
            match ends.source.try_submit(packet, sent) {
                Ok(()) => sent += 1,
                Err(unsubmitted) => {
                    assert_eq!(unsubmitted.reason, Error::QueueFull);
                    full += 1;
                    break;
                }
            }
        }
        ends.source.wakeup()?;
        let back = ends.source.acknowledged(PATIENCE)?;
        ends.source.release(back.packet);
        acknowledged += 1;
    }
    assert_eq!((sent, acknowledged), (1_024, 1_024));
    assert!(full > 0, "it was full");
    drop(ends);
    assert_eq!(counts(child)?, [1_024]);
    Ok(())
}

/// A server that acknowledges everything and never sends.
#[test]
fn scenario_20_black_hole() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::new(8, 8, 1 << 14)?;
    let (mut ends, child) = ends(&stage, "black-hole")?;
    for number in 0..1_000 {
        let packet = ends.source.alloc(1_000)?;
        ends.source.try_submit(packet, number)?;
        ends.wakeup()?;
        let back = ends.source.acknowledged(PATIENCE)?;
        assert_eq!(back.submitted, number);
        ends.source.release(back.packet);
        assert!(ends.sink.try_get()?.is_none(), "it never sends");
    }
    drop(ends);
    assert_eq!(counts(child)?, [1_000]);
    Ok(())
}

/// A client of a disk, and a copy of what should be on it.
pub(crate) struct Client {
    source: OperationSource<BlockOperation>,
    expected: Vec<u8>,
}

impl Client {
    pub(crate) fn new(source: Source<BlockOperation>) -> Client {
        Client { source: OperationSource::new(source), expected: vec![0; DISK.block * DISK.blocks] }
    }

    /// Whether the disk did it; and that what it has is what it should have.
    pub(crate) fn ask(&mut self, operation: BlockOperation, fill: u8) -> Result<bool, Failure> {
        let size = usize::try_from(operation.count)? * DISK.block;
        match operation.opcode {
            Opcode::Write => self.source.try_write(operation, &vec![fill; size])?,
            Opcode::Read => self.source.try_read(operation, size)?,
            Opcode::Sync | Opcode::Trim => self.source.try_plain(operation)?,
        }
        self.source.stream().wakeup()?;
        let completed = self.source.completed(PATIENCE)?;
        assert_eq!(completed.operation, operation);
        let done = completed.answer.outcome == Outcome::Done;
        // By our own record, not by the answer; a disk that did it had such blocks.
        let place = usize::try_from(operation.number).map_or(0, |first| first.saturating_mul(DISK.block));
        match operation.opcode {
            Opcode::Write if done => self.expected[place..][..size].fill(fill),
            Opcode::Trim if done => self.expected[place..][..size].fill(0),
            _ => {}
        }
        if let Some(content) = self.source.read(&completed)?
            && done
        {
            assert_eq!(content.to_vec()?, self.expected[place..][..size]);
        }
        Ok(done)
    }
}

#[test]
fn g44_scenario_22_block_tester() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let geometry = Geometry::new(16, 16, 1 << 16)?.with_granule(512)?;
    let dataspace =
        RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<BlockOperation>())?;
    let attach = || dataspace.attach(Window::WHOLE);
    let mut client = Client::new(Source::new(attach()?, geometry)?);
    let sink = OperationSink::new(Sink::new(attach()?, geometry)?);
    let thread = std::thread::spawn(move || disk(sink));
    let blocks = DISK.blocks as u64;
    // Sequential.
    for opcode in [Opcode::Write, Opcode::Read] {
        for block in (0..blocks).step_by(8) {
            assert!(client.ask(BlockOperation::new(opcode, block, 8), block.to_le_bytes()[0] + 1)?);
        }
    }
    // Random.
    let mut numbers = Stalls::new(9);
    for number in 0..500_u32 {
        let opcode = [Opcode::Read, Opcode::Write, Opcode::Sync][usize::try_from(numbers.below(3))?];
        let count = u32::try_from(1 + numbers.below(8))?;
        let block = numbers.below(blocks - u64::from(count));
        assert!(client.ask(BlockOperation::new(opcode, block, count), number.to_le_bytes()[0])?);
    }
    // Ping-pong from both ends.
    for distance in 0..blocks / 2 {
        for block in [distance, blocks - 1 - distance] {
            assert!(client.ask(BlockOperation::new(Opcode::Write, block, 1), 77)?);
            assert!(client.ask(BlockOperation::new(Opcode::Read, block, 1), 0)?);
        }
    }
    // Replay of what a file system does, with what lies outside.
    for (request, possible) in [
        (BlockOperation::new(Opcode::Read, 0, 1), true),
        (BlockOperation::new(Opcode::Write, blocks - 1, 1), true),
        (BlockOperation::new(Opcode::Write, blocks, 1), false),
        (BlockOperation::new(Opcode::Read, u64::MAX, 1), false),
        (BlockOperation::new(Opcode::Sync, 0, 0), true),
        (BlockOperation::new(Opcode::Read, blocks - 1, 1), true),
    ] {
        assert_eq!(client.ask(request, 5)?, possible, "{request:?}");
    }
    drop(client);
    thread.join().map_err(|_| "the disk panicked")?.map(drop)
}

/// A process that has gone takes nothing with it that the next one on the same server needs.
#[test]
fn scenario_21_nic_stress_ends_come_and_go() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    for round in 0..10 {
        let stages = (0..4).map(|_| Stage::new(8, 8, 1 << 14)).collect::<Result<Vec<_>, _>>()?;
        let mut open = stages.iter().map(|stage| ends(stage, "loopback")).collect::<Result<Vec<_>, _>>()?;
        for (ends, _) in &mut open {
            round_trip(ends, round, b"hello")?;
        }
        for (ends, child) in open {
            // Some end in order, some are killed.
            if round % 2 == 0 {
                drop(ends);
                assert_eq!(counts(child)?, [1]);
            } else {
                drop(Mortal(child));
            }
        }
    }
    Ok(())
}
