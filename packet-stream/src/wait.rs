//! Waiting for the other side without a handler: look for a while, then sleep.

use crate::error::Error;
use crate::port::{Port, Shared};
use crate::protocol::attention::{self, LOOKS_TO_PUT, LOOKS_TO_TAKE, SLEEPS};
use crate::protocol::hang_up;
use crate::sys::{self, Sleeper};
use portcullis_ipc::Deadline;
use std::sync::Arc;
use std::time::Instant;

/// What is waited for: any of these.
pub(crate) type For = u32;
/// Room in the queue that we put into.
pub(crate) const ROOM: For = LOOKS_TO_PUT;
/// An entry in the queue that we take from.
pub(crate) const ENTRY: For = LOOKS_TO_TAKE;

const LOOKS: u32 = LOOKS_TO_PUT | LOOKS_TO_TAKE;
/// So many looks between two glances at the clock, where looking is all that is done.
const LOOKS_A_GLANCE: u32 = 1 << 12;

impl Port {
    /// Whether any of it is there.
    #[inline]
    pub(crate) fn is_ready(&mut self, what: For) -> Result<bool, Error> {
        Ok(what & ENTRY != 0 && self.ready_to_take()? != 0 || what & ROOM != 0 && self.ready_to_put()? != 0)
    }

    /// Waits until it is there. Shows and tells first what was done so far.
    #[inline]
    pub(crate) fn wait(&mut self, what: For, deadline: Deadline) -> Result<(), Error> {
        if self.is_ready(what)? { Ok(()) } else { wait_for_any([(self, what)], deadline) }
    }

    /// Says that we sleep until this comes. What we do not wait for is looked at when it is waited for.
    fn fall_asleep(&mut self, what: For) {
        self.attend(SLEEPS | LOOKS & !what);
    }

    /// Whether it is there; an error if it never will be.
    fn is_there(&mut self, what: For) -> Result<bool, Error> {
        if self.is_ready(what)? {
            return Ok(true);
        }
        match self.gone() {
            // It may have done something and then ended, since we looked.
            Some(gone) => {
                if self.is_ready(what)? {
                    Ok(true)
                } else {
                    Err(gone)
                }
            }
            None => Ok(false),
        }
    }
}

/// Waits until something of all that is there, or never will be. The first port's experience decides how.
pub(crate) fn wait_for_any<const N: usize>(
    mut ports: [(&mut Port, For); N],
    deadline: Deadline,
) -> Result<(), Error> {
    for (port, _) in &mut ports {
        port.wakeup()?;
        port.attend(LOOKS);
    }
    let mut end = None;
    loop {
        if look_for_a_while(&mut ports)? {
            return Ok(());
        }
        // The clock is read only now: most waits end before.
        let end = *end.get_or_insert_with(|| deadline.instant());
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let expired = left.is_some_and(|left| left.is_zero());
        let sleeps = ports.first().is_some_and(|(port, _)| port.patience.turns() != u32::MAX);
        let seen = ports.each_ref().map(|(port, _)| {
            (attention::seen(port.shared.words().own.bell), port.shared.memory().life_word().seen())
        });
        if sleeps {
            ports.iter_mut().for_each(|(port, what)| port.fall_asleep(*what));
        }
        let mut there = Ok(false);
        for (port, what) in &mut ports {
            there = match (there, port.is_there(*what)) {
                (Ok(true), _) | (_, Ok(true)) => Ok(true),
                (Err(gone), _) | (_, Err(gone)) => Err(gone),
                (Ok(false), Ok(false)) => Ok(false),
            };
        }
        if there == Ok(false) && sleeps && !expired {
            let sleepers = std::array::from_fn::<_, N, _>(|index| {
                let (shared, seen) = (&ports[index].0.shared, seen[index]);
                let life = (shared.memory().life_word(), seen.1);
                Sleeper { bell: (shared.words().own.bell, seen.0), life }
            });
            sys::wait(&sleepers, left);
            ports.iter().for_each(|(port, _)| port.patience.keep_apart());
        }
        ports.iter_mut().for_each(|(port, _)| port.attend(LOOKS));
        match there {
            Ok(false) if expired => return Err(Error::DeadlineExceeded),
            Ok(false) => {}
            there => return there.map(|_| ()),
        }
    }
}

/// Looks for about as long as a wake would take.
fn look_for_a_while<const N: usize>(ports: &mut [(&mut Port, For); N]) -> Result<bool, Error> {
    let mut turns = 0;
    for (port, _) in ports.iter().rev() {
        port.patience.peer_on(attention::core(port.shared.words().other.attention));
        turns = port.patience.turns();
    }
    for _ in 0..if turns == u32::MAX { LOOKS_A_GLANCE } else { turns } {
        for (port, what) in ports.iter_mut() {
            if port.is_ready(*what)? {
                port.patience.paid_off();
                return Ok(true);
            }
        }
        std::hint::spin_loop();
    }
    ports.iter().for_each(|(port, _)| port.patience.did_not_pay_off());
    Ok(false)
}

/// Ends the waits of a stream whose peer is gone, those of calls and of a task: for whoever watches the peer.
///
/// ```
/// use portcullis_ipc::Deadline;
/// use portcullis_packet_stream::{Error, Geometry, Sink};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Window};
///
/// let geometry = Geometry::new(4, 4, 4096)?;
/// let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(geometry.bytes::<()>())?;
/// let mut sink = Sink::<()>::new(dataspace.attach(Window::WHOLE)?, geometry)?;
/// let hang_up = sink.hang_up();
/// std::thread::spawn(move || hang_up.peer_is_gone());
/// assert_eq!(sink.get(Deadline::Never).unwrap_err(), Error::Disconnected);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HangUp(pub(crate) Arc<Shared>);

impl HangUp {
    /// Says that the other side is gone. Waits end with [`Error::Disconnected`] once nothing is left to take.
    pub fn peer_is_gone(&self) {
        let bell = self.0.words().own.bell;
        hang_up::say(&self.0.hung_up, bell);
        sys::wake(bell);
        if let Some(task) = self.0.replace_task(None) {
            task.wake();
        }
    }
}
