//! The reader component: gets the input as a dataspace, and streams it to the counter.

use super::Failed;
use super::interface::{Feed, PACKET, Stage, geometry};
use portcullis_component::Env;
use portcullis_ipc::Deadline;
use portcullis_packet_stream::{Error as StreamError, Signal, Source};
use portcullis_rpc::SignalCapability;
use portcullis_sessions::timer::Timer;
use portcullis_shm::Window;
use std::time::Duration;

/// How many packets the input is cut into, if it is not too large for that.
const PACKETS: usize = 40;

/// Between two packets, in microseconds: so that there is something to see.
const PAUSE: u64 = 50_000;

/// How long the counter may take until it is asked to look once more.
const PATIENCE: Deadline = Deadline::After(Duration::from_millis(500));

/// Runs the component.
///
/// # Errors
/// Why it has failed, in words.
pub fn construct(env: &Env) -> Result<(), Failed> {
    let input = env.connect::<dyn Stage>("reader", &())?.input()?.attach(Window::WHOLE)?;
    let mut feed = env.connect::<dyn Feed>("input", &())?;
    let mut timer = env.connect::<dyn Timer>("pace", &())?;
    let (dataspace, packets) = feed.stream()?;
    let mut source = Source::<()>::new(dataspace.attach(Window::WHOLE)?, geometry()?)?;
    let counter = packets.clone();
    source.set_handler(move |_: &[Signal]| counter.submit());
    let mut piece = vec![0; input.len().div_ceil(PACKETS).clamp(1, PACKET)];
    for offset in (0..input.len()).step_by(piece.len()) {
        let length = piece.len().min(input.len() - offset);
        input.copy_to(offset, &mut piece[..length])?;
        while let Some(acknowledged) = source.try_acknowledged()? {
            source.release(acknowledged.packet);
        }
        submit(&mut source, &piece[..length], &packets)?;
        if input.len() <= PACKETS * PACKET {
            timer.sleep(PAUSE).get()?;
        }
    }
    while source.outstanding() > 0 {
        take_back(&mut source, &packets)?;
    }
    // Closes the stream.
    drop(source);
    packets.submit();
    env.exit(0);
    Ok(())
}

/// Submits a packet with this content, when there is room for it.
fn submit(source: &mut Source<()>, piece: &[u8], counter: &SignalCapability) -> Result<(), StreamError> {
    let packet = loop {
        match source.alloc(piece.len()) {
            Err(StreamError::BufferFull) => take_back(source, counter)?,
            packet => break packet?,
        }
    };
    source.content(&packet)?.copy_from(piece)?;
    source.submit(packet, (), Deadline::Never)?;
    source.wakeup()
}

/// Makes the region of a packet free again that the counter is done with.
fn take_back(source: &mut Source<()>, counter: &SignalCapability) -> Result<(), StreamError> {
    loop {
        match source.acknowledged(PATIENCE) {
            Ok(acknowledged) => {
                source.release(acknowledged.packet);
                return Ok(());
            }
            // A counter that was not told of the last packets looks at them now.
            Err(StreamError::DeadlineExceeded) => counter.submit(),
            Err(error) => return Err(error),
        }
    }
}
