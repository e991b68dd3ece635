//! Devices, as the other side of a stream sees them: each goes on until that side ends, whatever it is asked for. They answer
//! how many packets they have carried out.

use super::payload::{
    BlockOperation, Checksum, DISK, NetPacket, Opcode, Outcome, SCREEN, UsbKind, UsbTransfer, VideoFrame,
    Way, internet_checksum,
};
use super::{Failure, busy::PATIENCE};
use portcullis_packet_stream::{Duplex, Error, OperationSink, Sink, Source};

/// What came out of the stream; nothing if the other side has ended it.
fn unless_closed<T>(got: Result<T, Error>) -> Result<Option<T>, Error> {
    match got {
        Err(Error::Closed) => Ok(None),
        got => got.map(Some),
    }
}

/// A disk in private memory, full of zeros at first.
///
/// # Errors
/// What the stream says.
pub fn disk(mut sink: OperationSink<BlockOperation>) -> Result<u64, Failure> {
    let mut blocks = vec![0; DISK.block * DISK.blocks];
    let mut done = 0;
    while let Some(operation) = unless_closed(sink.next(PATIENCE))? {
        let control = operation.control();
        let outcome = match control.check(operation.size(), DISK) {
            Ok(extent) => {
                if let Some(content) = sink.written(&operation)? {
                    content.copy_to(&mut blocks[extent])?;
                } else if let Some(answer) = sink.fill(&operation)? {
                    answer.copy_from(&blocks[extent])?;
                } else if control.opcode == Opcode::Trim {
                    blocks[extent].fill(0);
                }
                done += 1;
                Outcome::Done
            }
            Err(_) => Outcome::Refused,
        };
        sink.try_complete(operation, BlockOperation { outcome, ..control })?;
        sink.stream().wakeup()?;
    }
    Ok(done)
}

/// A network card whose cable ends where it begins. It fills checksums in, and drops what it has no room for.
///
/// # Errors
/// What the stream says.
pub fn nic(mut ends: Duplex<NetPacket, NetPacket>) -> Result<u64, Failure> {
    let mut done = 0;
    loop {
        while let Ok(Some(back)) = ends.source.try_acknowledged() {
            ends.source.release(back.packet);
        }
        let Some(()) = unless_closed(ends.wakeup().and_then(|()| ends.wait(PATIENCE)))? else {
            return Ok(done);
        };
        while let Some(received) = unless_closed(ends.sink.try_get())?.flatten() {
            let control = received.control();
            let outcome = match control.check(received.size()) {
                Ok(fill) => {
                    let mut frame = ends.sink.content(&received)?.view().to_vec()?;
                    if let Some(fill) = fill {
                        frame[fill.place..][..2].fill(0);
                        let sum = internet_checksum(&frame[fill.start..]);
                        frame[fill.place..][..2].copy_from_slice(&sum.to_be_bytes());
                    }
                    if echo(&mut ends.source, &frame)? { Outcome::Done } else { Outcome::Failed }
                }
                Err(_) => Outcome::Refused,
            };
            done += u64::from(outcome == Outcome::Done);
            ends.sink.acknowledge(received, NetPacket { outcome, ..control }, PATIENCE)?;
        }
    }
}

/// Whether there was room to send it.
fn echo(source: &mut Source<NetPacket>, frame: &[u8]) -> Result<bool, Error> {
    if source.room()? == 0 {
        return Ok(false);
    }
    let packet = match source.alloc(frame.len()) {
        Err(Error::BufferFull) => return Ok(false),
        packet => packet?,
    };
    source.content(&packet)?.copy_from(frame)?;
    source.try_submit(packet, NetPacket { checksum: Checksum::Verified, ..NetPacket::PLAIN })?;
    Ok(true)
}

/// A camera that sends these parts of pictures, each pixel of one the lowest byte of its number.
///
/// # Errors
/// What the stream says.
pub fn camera(mut source: Source<VideoFrame>, frames: &[(VideoFrame, usize)]) -> Result<u64, Failure> {
    let mut done = 0;
    for (frame, size) in frames {
        let packet = source.alloc(*size)?;
        source.content(&packet)?.copy_from(&vec![frame.number.to_le_bytes()[0]; *size])?;
        source.try_submit(packet, *frame)?;
        let back = source.acknowledged(PATIENCE)?;
        done += u64::from(back.answered.outcome == Outcome::Done);
        source.release(back.packet);
    }
    Ok(done)
}

/// Parts of pictures that lie on the screen, and so many bytes.
#[must_use]
pub fn good_frames() -> Vec<(VideoFrame, usize)> {
    let frame = |number: u16| VideoFrame {
        captured: 1_000_000 * u64::from(number),
        number: number.into(),
        x: number,
        y: number / 2,
        width: 16,
        height: 8,
        outcome: Outcome::Pending,
        reserved: 0,
    };
    (0..40).map(frame).map(|frame| (frame, 128)).collect()
}

/// One that can be shown, and then some that cannot.
#[must_use]
pub fn bad_frames() -> Vec<(VideoFrame, usize)> {
    let (good, size) = good_frames()[1];
    let bad = [
        (VideoFrame { x: u16::MAX, ..good }, size),
        (VideoFrame { y: SCREEN.height - 7, ..good }, size),
        (VideoFrame { x: SCREEN.width, ..good }, size),
        (VideoFrame { width: u16::MAX, height: u16::MAX, ..good }, size),
        (VideoFrame { width: 0, ..good }, 0),
        (VideoFrame { height: 9, ..good }, size),
        (good, size - 1),
        (VideoFrame { captured: good.captured - 1, ..good }, size),
    ];
    std::iter::once((good, size)).chain(bad).collect()
}

/// What the device says of itself.
pub const DESCRIPTOR: [u8; 18] = [18, 1, 0, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 1, 0, 0, 0, 0, 1];
/// A request for it: from the device, standard; GET_DESCRIPTOR; the device's; no language; 18 bytes.
pub const GET_DESCRIPTOR: [u8; 8] = [0x80, 6, 0, 1, 0, 0, 18, 0];
const MOST_KEPT: usize = 4096;

/// A USB device that gives back what it is given, and counts. A boasting one says that it has transferred more than it can have.
///
/// # Errors
/// What the stream says.
pub fn usb(mut sink: Sink<UsbTransfer>, boasts: bool) -> Result<u64, Failure> {
    let (mut kept, mut done) = (Vec::new(), 0);
    while let Some(transfer) = unless_closed(sink.get(PATIENCE))? {
        let control = transfer.control();
        let way = control.check(transfer.size());
        let content = sink.content(&transfer)?;
        let actual = match way {
            Ok(Way::Out) if transfer.size() <= MOST_KEPT => {
                kept = content.view().to_vec()?;
                Some(kept.len())
            }
            Ok(Way::Out) | Err(_) => None,
            Ok(Way::In) if control.kind == UsbKind::Interrupt && transfer.size() < 8 => None,
            Ok(Way::In) => {
                let count = u64::to_le_bytes(done);
                let data = if control.kind == UsbKind::Interrupt { &count[..] } else { &kept };
                let actual = data.len().min(transfer.size());
                content.copy_from(&data[..actual])?;
                Some(actual)
            }
            Ok(Way::Packets { count, size }) => {
                let packet = |number: usize| vec![number.to_le_bytes()[0]; size];
                content.copy_from(&(0..count).flat_map(packet).collect::<Vec<_>>())?;
                Some(count * size)
            }
            // Once, into private memory: it could be another request by the time it is carried out.
            Ok(Way::Request) if content.view().read::<[u8; 8]>(0)? == GET_DESCRIPTOR => {
                let actual = DESCRIPTOR.len().min(transfer.size() - GET_DESCRIPTOR.len());
                content.view_mut(GET_DESCRIPTOR.len(), actual)?.copy_from(&DESCRIPTOR[..actual])?;
                Some(GET_DESCRIPTOR.len() + actual)
            }
            Ok(Way::Request) => None,
        };
        let outcome = match (way, actual) {
            (_, Some(_)) => Outcome::Done,
            (Ok(_), None) => Outcome::Failed,
            (Err(_), None) => Outcome::Refused,
        };
        done += u64::from(actual.is_some());
        let boast = if boasts { transfer.size() + 1 } else { 0 };
        let actual = u32::try_from(actual.unwrap_or(0).max(boast))?;
        sink.acknowledge(transfer, UsbTransfer { actual, outcome, ..control }, PATIENCE)?;
    }
    Ok(done)
}
