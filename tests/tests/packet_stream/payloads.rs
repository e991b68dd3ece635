//! Frames of a network, operations on blocks, pictures and USB transfers as payloads, with devices in processes of their own; and
//! control fields that are lies.

use crate::scenarios::Client;
use crate::{LIMIT, PROGRAM, counts};
use portcullis_packet_stream::{Duplex, Error, Sink, Source};
use portcullis_tests::stream::busy::PATIENCE;
use portcullis_tests::stream::devices::{DESCRIPTOR, GET_DESCRIPTOR, bad_frames, good_frames};
use portcullis_tests::stream::payload::{
    BlockOperation, Checksum, DISK, NetPacket, Opcode, Outcome, SCREEN, UsbKind, UsbTransfer, VideoFrame,
    internet_checksum,
};
use portcullis_tests::stream::{Failure, Stage};
use portcullis_tests::watchdog::Watchdog;

#[test]
fn g46_network_frames_go_out_and_come_back_with_their_checksums() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<NetPacket>(8, 8, 1 << 14)?;
    let both = [stage.geometry; 2];
    let [out, back] = Duplex::<NetPacket, NetPacket>::windows(both);
    let attached = [stage.dataspace.attach(out)?, stage.dataspace.attach(back)?];
    let mut ends = Duplex::<NetPacket, NetPacket>::first(attached, both)?;
    let card = stage.start(PROGRAM, "nic", &[])?;
    let mut send = |control: NetPacket, frame: &[u8]| -> Result<Option<Vec<u8>>, Failure> {
        let packet = ends.source.alloc(frame.len())?;
        ends.source.content(&packet)?.copy_from(frame)?;
        ends.source.try_submit(packet, control)?;
        let sent = ends.source.acknowledged(PATIENCE)?;
        ends.source.release(sent.packet);
        if sent.answered.outcome != Outcome::Done {
            assert_eq!(sent.answered.outcome, Outcome::Refused);
            return Ok(None);
        }
        let echo = ends.sink.get(PATIENCE)?;
        assert_eq!(
            (echo.control().check(echo.size()), echo.control().checksum),
            (Ok(None), Checksum::Verified)
        );
        let content = ends.sink.content(&echo)?.view().to_vec()?;
        ends.sink.acknowledge(echo, NetPacket { outcome: Outcome::Done, ..NetPacket::PLAIN }, PATIENCE)?;
        ends.sink.wakeup()?;
        Ok(Some(content))
    };
    let frame: Vec<u8> = (0..1_500_u32).map(|index| index.to_le_bytes()[0]).collect();
    let fill = |start, place| NetPacket { checksum: Checksum::FillIn, start, place, ..NetPacket::PLAIN };

    assert_eq!(send(NetPacket::PLAIN, &frame)?, Some(frame.clone()), "as it was");
    let filled = send(fill(14, 16), &frame)?.ok_or("a frame was refused")?;
    assert_eq!(internet_checksum(&filled[14..]), 0);
    assert_ne!(filled[30..32], frame[30..32]);
    assert_eq!((&filled[..30], &filled[32..]), (&frame[..30], &frame[32..]), "and nothing else was changed");
    // Of no length, of none that a frame has, checksums outside by one and by as much as can be.
    for (control, size) in [
        (NetPacket::PLAIN, 0),
        (NetPacket::PLAIN, 13),
        (NetPacket::PLAIN, 1_515),
        (fill(14, 1_485), 1_500),
        (fill(1_499, 0), 1_500),
        (fill(u16::MAX, u16::MAX), 1_500),
    ] {
        assert_eq!(send(control, &vec![0; size])?, None, "{control:?} of {size} bytes");
    }
    assert!(send(fill(14, 1_484), &frame)?.is_some(), "the last two bytes");
    drop(ends);
    assert_eq!(counts(card)?, [3]);
    Ok(())
}

#[test]
fn g46_block_operations_are_carried_out_where_there_are_blocks() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<BlockOperation>(8, 8, 1 << 16)?;
    let disk = stage.start(PROGRAM, "disk", &[])?;
    let mut client = Client::new(Source::new(stage.attach()?, stage.geometry)?);
    let blocks = DISK.blocks as u64;
    for (operation, is_done) in [
        (BlockOperation::new(Opcode::Write, 3, 4), true),
        (BlockOperation::new(Opcode::Read, 0, 8), true),
        (BlockOperation::new(Opcode::Trim, 4, 2), true),
        (BlockOperation::new(Opcode::Read, 0, 8), true),
        (BlockOperation::new(Opcode::Sync, u64::MAX, u32::MAX), true),
        (BlockOperation::new(Opcode::Trim, 0, blocks.try_into()?), true),
        // One too many; sums that come round; and no block, where there is none.
        (BlockOperation::new(Opcode::Trim, 1, blocks.try_into()?), false),
        (BlockOperation::new(Opcode::Trim, u64::MAX, 1), false),
        (BlockOperation::new(Opcode::Read, u64::MAX - 1, 4), false),
        (BlockOperation::new(Opcode::Trim, 1 << 32, u32::MAX), false),
        (BlockOperation::new(Opcode::Write, blocks, 1), false),
        (BlockOperation::new(Opcode::Read, blocks + 1, 0), false),
        (BlockOperation::new(Opcode::Read, 0, 8), true),
    ] {
        assert_eq!(client.ask(operation, 0x5a)?, is_done, "{operation:?}");
    }
    drop(client);
    assert_eq!(counts(disk)?, [7]);
    Ok(())
}

/// The content has another size than the blocks that are said to be in it.
#[test]
fn g46_a_block_operation_whose_content_is_too_short_is_refused() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<BlockOperation>(8, 8, 1 << 16)?;
    let disk = stage.start(PROGRAM, "disk", &[])?;
    let mut source = Source::<BlockOperation>::new(stage.attach()?, stage.geometry)?;
    for (opcode, size) in [
        (Opcode::Read, 511),
        (Opcode::Write, 0),
        (Opcode::Write, 513),
        (Opcode::Trim, 512),
        (Opcode::Sync, 1),
    ] {
        let packet = source.alloc(size)?;
        source.try_submit(packet, BlockOperation::new(opcode, 0, 1))?;
        let back = source.acknowledged(PATIENCE)?;
        assert_eq!(back.answered.outcome, Outcome::Refused, "{opcode:?} of {size} bytes");
        source.release(back.packet);
    }
    drop(source);
    assert_eq!(counts(disk)?, [0]);
    Ok(())
}

/// The pixels of a row of the screen.
const STRIDE: usize = SCREEN.width as usize;

/// What a viewer shows of a camera's pictures; and how many it refused.
fn view(role: &str) -> Result<(Vec<u8>, u64, u64), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<VideoFrame>(8, 8, 1 << 16)?;
    let mut sink = Sink::<VideoFrame>::new(stage.attach()?, stage.geometry)?;
    let camera = stage.start(PROGRAM, role, &[])?;
    let mut shown = vec![0xff; STRIDE * usize::from(SCREEN.height)];
    let (mut last, mut refused) = (0, 0);
    loop {
        let frame = match sink.get(PATIENCE) {
            Err(Error::Closed) => break,
            frame => frame?,
        };
        let control = frame.control();
        let outcome = match control.check(frame.size(), SCREEN, last) {
            Ok(area) => {
                area.draw(&sink.content(&frame)?.view().to_vec()?, &mut shown);
                last = control.captured;
                Outcome::Done
            }
            Err(_) => Outcome::Refused,
        };
        refused += u64::from(outcome == Outcome::Refused);
        sink.acknowledge(frame, VideoFrame { outcome, ..control }, PATIENCE)?;
    }
    let [done] = counts(camera)?[..] else { return Err("a camera says one number".into()) };
    Ok((shown, done, refused))
}

#[test]
fn g46_video_frames_are_drawn_where_they_belong() -> Result<(), Failure> {
    let (shown, done, refused) = view("camera")?;
    assert_eq!((done, refused), (40, 0));
    let expected = |x: usize, y: usize| {
        let shows = |(frame, _): &&(VideoFrame, usize)| {
            let (left, top) = (usize::from(frame.x), usize::from(frame.y));
            (left..left + 16).contains(&x) && (top..top + 8).contains(&y)
        };
        good_frames().iter().rev().find(shows).map_or(0xff, |(frame, _)| frame.number.to_le_bytes()[0])
    };
    for (place, pixel) in shown.iter().enumerate() {
        let (x, y) = (place % STRIDE, place / STRIDE);
        assert_eq!(*pixel, expected(x, y), "at {x}, {y}");
    }
    Ok(())
}

#[test]
fn g46_video_frames_that_lie_outside_or_come_from_the_past_are_not_shown() -> Result<(), Failure> {
    let (shown, done, refused) = view("bad-camera")?;
    assert_eq!((done, refused), (1, bad_frames().len() as u64 - 1));
    let drawn = shown.iter().filter(|pixel| **pixel != 0xff).count();
    assert_eq!(drawn, 128, "the good one alone");
    Ok(())
}

/// Asks for a transfer; what the device says, and as much of the content as it says that it has transferred.
fn transfer(
    source: &mut Source<UsbTransfer>,
    asked: UsbTransfer,
    content: &[u8],
) -> Result<(Outcome, Option<Vec<u8>>), Failure> {
    let packet = source.alloc(content.len())?;
    source.content(&packet)?.copy_from(content)?;
    source.try_submit(packet, asked)?;
    let back = source.acknowledged(PATIENCE)?;
    assert_eq!(back.submitted, asked);
    let transferred = match back.answered.transferred(back.packet.size()) {
        Ok(actual) => Some(source.content(&back.packet)?.view().view(0, actual)?.to_vec()?),
        Err(_) => None,
    };
    source.release(back.packet);
    Ok((back.answered.outcome, transferred))
}

#[test]
fn g46_usb_transfers_of_every_kind_say_how_much_was_transferred() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<UsbTransfer>(8, 8, 1 << 16)?;
    let device = stage.start(PROGRAM, "usb", &[])?;
    let mut source = Source::new(stage.attach()?, stage.geometry)?;
    let mut ask = |kind, endpoint, packets, content: &[u8]| {
        transfer(&mut source, UsbTransfer::new(kind, endpoint, packets), content)
    };
    let done = |bytes: &[u8]| (Outcome::Done, Some(bytes.to_vec()));
    let nothing = |outcome| (outcome, Some(Vec::new()));

    let room = [&GET_DESCRIPTOR[..], &[0; 64]].concat();
    let described = [&GET_DESCRIPTOR[..], &DESCRIPTOR].concat();
    assert_eq!(ask(UsbKind::Control, 0, 0, &room)?, done(&described), "less than there was room for");
    assert_eq!(ask(UsbKind::Control, 0, 0, &room[..10])?, done(&described[..10]), "as much as there was");
    assert_eq!(ask(UsbKind::Control, 0, 0, &[0; 8])?, nothing(Outcome::Failed), "a request that it has not");
    assert_eq!(ask(UsbKind::Bulk, 1, 0, b"hello")?, done(b"hello"));
    assert_eq!(ask(UsbKind::Bulk, 128 + 1, 0, &[0; 512])?, done(b"hello"));
    assert_eq!(ask(UsbKind::Interrupt, 128 + 2, 0, &[0; 8])?, done(&4_u64.to_le_bytes()));
    assert_eq!(ask(UsbKind::Isochronous, 128 + 3, 3, &[0; 6])?, done(&[0, 0, 1, 1, 2, 2]));
    for (kind, endpoint, packets, size) in [
        (UsbKind::Bulk, 2, 0, 8),
        (UsbKind::Bulk, 0, 0, 8),
        (UsbKind::Control, 128, 0, 8),
        (UsbKind::Interrupt, 128 + 1, 0, 8),
        (UsbKind::Bulk, 64 + 1, 0, 8),
        (UsbKind::Bulk, u8::MAX, 0, 8),
        (UsbKind::Control, 0, 0, 7),
        (UsbKind::Control, 0, 1, 8),
        (UsbKind::Bulk, 1, u32::MAX, 8),
        (UsbKind::Isochronous, 128 + 3, 0, 8),
        (UsbKind::Isochronous, 128 + 3, 3, 8),
        (UsbKind::Isochronous, 128 + 3, u32::MAX, 8),
        (UsbKind::Isochronous, 128 + 3, 1, 0),
    ] {
        let refused = ask(kind, endpoint, packets, &vec![0; size])?;
        assert_eq!(refused, nothing(Outcome::Refused), "{kind:?} {endpoint} {packets} {size}");
    }
    drop(source);
    assert_eq!(counts(device)?, [6]);
    Ok(())
}

#[test]
fn g46_a_usb_device_that_boasts_is_not_believed() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    let stage = Stage::of::<UsbTransfer>(8, 8, 1 << 16)?;
    let device = stage.start(PROGRAM, "boasting-usb", &[])?;
    let mut source = Source::new(stage.attach()?, stage.geometry)?;
    for size in [0, 1, 512] {
        let asked = UsbTransfer::new(UsbKind::Bulk, 1, 0);
        assert_eq!(transfer(&mut source, asked, &vec![0; size])?, (Outcome::Done, None), "{size}");
    }
    drop(source);
    assert_eq!(counts(device)?, [3]);
    Ok(())
}

/// An opcode that there is not, and an outcome: the device ends the stream, and its process in order.
#[test]
fn g46_control_fields_that_are_no_value_of_their_type_end_the_stream() -> Result<(), Failure> {
    let _watchdog = Watchdog::start(LIMIT);
    for wrong in [4, 4 << 16, u64::from(u32::MAX)] {
        let stage = Stage::of::<BlockOperation>(8, 8, 1 << 16)?;
        let disk = stage.start(PROGRAM, "disk", &[])?;
        // As long and as aligned as the disk's own.
        let mut source = Source::<[u64; 2]>::new(stage.attach()?, stage.geometry)?;
        let packet = source.alloc(512)?;
        source.try_submit(packet, [0, wrong << 32 | 1])?;
        assert_eq!(source.acknowledged(PATIENCE).unwrap_err(), Error::Closed, "{wrong:#x}");
        assert!(counts(disk).is_err(), "it says what was wrong");
    }
    Ok(())
}
