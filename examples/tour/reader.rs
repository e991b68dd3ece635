//! The reader component: gets the input as a dataspace, and streams it to the counter.

use super::Failed;
use super::interface::{Feed, PACKET, Stage, geometry};
use crate::bulk::source::{submit, take_back};
use portcullis_component::Env;
use portcullis_packet_stream::{Signal, Source};
use portcullis_sessions::timer::Timer;
use portcullis_shm::Window;

/// How many packets the input is cut into, if it is not too large for that.
const PACKETS: usize = 40;

/// Between two packets, in microseconds: so that there is something to see.
const PAUSE: u64 = 50_000;

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
    source.set_handler(move |_: &[Signal]| packets.submit());
    let mut piece = vec![0; input.len().div_ceil(PACKETS).clamp(1, PACKET)];
    for offset in (0..input.len()).step_by(piece.len()) {
        let length = piece.len().min(input.len() - offset);
        input.copy_to(offset, &mut piece[..length])?;
        while let Some(acknowledged) = source.try_acknowledged()? {
            source.release(acknowledged.packet);
        }
        submit(&mut source, &piece[..length])?;
        if input.len() <= PACKETS * PACKET {
            timer.sleep(PAUSE).get()?;
        }
    }
    while source.outstanding() > 0 {
        take_back(&mut source)?;
    }
    // Closes the stream, and tells.
    drop(source);
    env.exit(0);
    Ok(())
}
