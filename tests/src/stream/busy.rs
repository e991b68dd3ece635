//! Two sides that work as hard as they can, in batches of random size, held up at random. Each packet carries its number in its
//! control fields and in its content; each answer is made of it.

use super::{Failure, Number};
use crate::stall::Stalls;
use portcullis_ipc::Deadline;
use portcullis_packet_stream::{Error, Packet, Received, Sink, Source};
use std::time::Duration;

/// How long a side waits for the other. Whoever waits as long has lost a signal.
pub const PATIENCE: Deadline = Deadline::After(Duration::from_secs(30));
const MOST_BYTES: usize = 300;

/// What the sink answers to a packet.
#[must_use]
pub fn answer(number: Number) -> Number {
    number.rotate_left(7) ^ 0x5a5a_5a5a
}

/// The content of a packet: as many bytes of its number as fit.
fn content(number: Number, size: usize) -> impl Iterator<Item = u8> {
    number.to_le_bytes().into_iter().cycle().take(size)
}

/// Submits so many packets and takes back all of them.
///
/// # Errors
/// What the stream says, and whatever does not come back as it should.
pub fn source(source: &mut Source<Number>, packets: Number, stalls: &mut Stalls) -> Result<(), Failure> {
    let (mut next, mut back) = (0, 0);
    let mut bytes = [0; MOST_BYTES];
    while back < packets {
        for _ in 0..=stalls.below(16) {
            let Some(packet) = filled(source, &mut bytes, next, packets, stalls)? else { break };
            if !submitted(source, packet, next, stalls)? {
                break;
            }
            next += 1;
            stalls.stall();
        }
        source.wakeup()?;
        stalls.stall();
        // A sink that has done its part may have ended.
        while source.outstanding() > 0
            && let Some(acknowledged) = source.try_acknowledged()?
        {
            if acknowledged.answered != answer(acknowledged.submitted) {
                return Err("another answer than to this packet".into());
            }
            source.release(acknowledged.packet);
            back += 1;
        }
        source.wakeup()?;
        if source.outstanding() > 0 && (next == packets || stalls.below(4) == 0) {
            let acknowledged = source.acknowledged(PATIENCE)?;
            source.release(acknowledged.packet);
            back += 1;
        }
    }
    if source.free_bytes() != source.geometry().buffer() || source.outstanding() != 0 {
        return Err("not everything is free again".into());
    }
    Ok(())
}

fn filled(
    source: &mut Source<Number>,
    bytes: &mut [u8],
    number: Number,
    packets: Number,
    stalls: &mut Stalls,
) -> Result<Option<Packet>, Failure> {
    let size = usize::try_from(stalls.below(MOST_BYTES as u64))?;
    let packet = match source.alloc(size) {
        Ok(packet) if number < packets => packet,
        Ok(_) | Err(Error::BufferFull) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = &mut bytes[..size];
    bytes.iter_mut().zip(content(number, size)).for_each(|(to, from)| *to = from);
    source.content(&packet)?.copy_from(bytes)?;
    Ok(Some(packet))
}

/// Whether there was room. Waits for some only while the sink can acknowledge all that it has, or each would wait for the
/// other.
fn submitted(
    source: &mut Source<Number>,
    packet: Packet,
    number: Number,
    stalls: &mut Stalls,
) -> Result<bool, Failure> {
    if source.outstanding() < source.geometry().acknowledge() && stalls.below(2) == 0 {
        source.submit(packet, number, PATIENCE)?;
        return Ok(true);
    }
    match source.try_submit(packet, number) {
        Ok(()) => Ok(true),
        Err(unsubmitted) if unsubmitted.reason == Error::QueueFull => Ok(false),
        Err(unsubmitted) => Err(unsubmitted.reason.into()),
    }
}

/// Takes so many packets, and acknowledges them in another order.
///
/// # Errors
/// What the stream says, and whatever does not arrive as it was submitted.
pub fn sink(sink: &mut Sink<Number>, packets: Number, stalls: &mut Stalls) -> Result<(), Failure> {
    let mut held = Vec::new();
    for number in 0..packets {
        let received = match sink.try_get()? {
            Some(received) => received,
            None => {
                while !held.is_empty() {
                    acknowledge(sink, &mut held, stalls)?;
                }
                sink.get(PATIENCE)?
            }
        };
        let copy = sink.content(&received)?.view().to_vec()?;
        if received.control() != number || !copy.iter().copied().eq(content(number, copy.len())) {
            return Err(format!("packet {number} came as {}", received.control()).into());
        }
        held.push(received);
        stalls.stall();
        while held.len() > 8 || !held.is_empty() && stalls.below(3) == 0 {
            acknowledge(sink, &mut held, stalls)?;
        }
        if stalls.below(8) == 0 {
            sink.wakeup()?;
        }
    }
    while !held.is_empty() {
        acknowledge(sink, &mut held, stalls)?;
    }
    sink.wakeup()?;
    if sink.held() == 0 { Ok(()) } else { Err("something is still held".into()) }
}

fn acknowledge(
    sink: &mut Sink<Number>,
    held: &mut Vec<Received<Number>>,
    stalls: &mut Stalls,
) -> Result<(), Failure> {
    let received = held.swap_remove(usize::try_from(stalls.below(held.len() as u64))?);
    let answer = answer(received.control());
    Ok(sink.acknowledge(received, answer, PATIENCE)?)
}

/// Packets of 64 bytes through the stream and back, as fast as can be.
///
/// # Errors
/// What the stream says.
pub fn steady_source(source: &mut Source<Number>, packets: Number) -> Result<(), Error> {
    let (mut next, mut back) = (0, 0);
    while back < packets {
        while next < packets && source.room()? != 0 {
            let Ok(packet) = source.alloc(64) else { break };
            source.content(&packet)?.copy_from(&[7; 64])?;
            source.try_submit(packet, next)?;
            next += 1;
        }
        let acknowledged = source.acknowledged(PATIENCE)?;
        source.release(acknowledged.packet);
        back += 1;
    }
    source.wakeup()
}

/// The other side of [`steady_source`].
///
/// # Errors
/// What the stream says.
pub fn steady_sink(sink: &mut Sink<Number>, packets: Number) -> Result<(), Error> {
    let mut copy = [0; 64];
    for _ in 0..packets {
        let received = sink.get(PATIENCE)?;
        sink.content(&received)?.view().copy_to(&mut copy)?;
        let number = received.control();
        sink.acknowledge(received, number, PATIENCE)?;
        sink.wakeup()?;
    }
    Ok(())
}
