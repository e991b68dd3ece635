//! How a portal folds into a channel to the same entrypoint: its token is presented there, for a row.

use super::async_call::AsyncCall;
use super::channel::Channel;
use super::cycle::Waiting;
use super::portal::Portal;
use crate::capability::RowReference;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::sys::socket;
use crate::transport::socket::SocketTransport;
use crate::wire::control::Token;
use crate::wire::head::RowName;
use crate::wire::system::SystemCall;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long the watcher tries; then it is tried again when the portal is used.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call of the entrypoint itself.
fn request(call: SystemCall) -> Result<Box<MsgBuf>, Error> {
    let mut message = Box::new(MsgBuf::new());
    let (opcode, data) = call.encode();
    message.set_method(opcode, 0);
    message.write(&data)?;
    Ok(message)
}

/// The row that the entrypoint answered with.
fn row(channel: &Channel, reply: &mut MsgBuf) -> Result<RowReference, Error> {
    let reference = reply.take(0).and_then(|capability| capability.into_row_of(channel));
    reference.ok_or(Error::Violation("an entrypoint answered a token with no row"))
}

/// Waits for the portal's token and presents it, until `end`.
pub(super) fn fold(
    channel: &Arc<Channel>,
    portal: &SocketTransport,
    end: Option<Instant>,
) -> Result<RowReference, Error> {
    let left = || end.map(|end| end.saturating_duration_since(Instant::now()));
    let token = {
        let waiting = Waiting::within_handler(channel)?;
        loop {
            if let Some(token) = portal.token()? {
                break token;
            }
            if left().is_some_and(|left| left.is_zero()) {
                return Err(Error::DeadlineExceeded);
            }
            let time = match &waiting {
                None => left(),
                Some(waiting) => Some(waiting.look_again(channel)?.min(left().unwrap_or(PATIENCE))),
            };
            socket::wait_until_readable(portal.socket(), time);
        }
    };
    let send = request(SystemCall::Fold(token))?;
    let mut reply = Box::new(MsgBuf::new());
    let deadline = left().map_or(Deadline::Never, Deadline::After);
    Channel::call(channel, RowName::SYSTEM, &send, &mut reply, deadline)?;
    row(channel, &mut reply)
}

/// Has the watcher present the token.
pub(super) fn fold_later(portal: &Weak<Portal>, pd: &Pd, channel: Arc<Channel>, token: Token) {
    let weak = portal.clone();
    let present = async move {
        let call = request(SystemCall::Fold(token))
            .map(|message| AsyncCall::of_system(channel.clone(), message, Deadline::After(PATIENCE)));
        let folded = match call {
            Ok(call) => call.await.and_then(|mut reply| row(&channel, &mut reply)),
            Err(error) => Err(error),
        };
        if let Some(portal) = weak.upgrade() {
            portal.conclude(folded.map(Some));
        }
    };
    match pd.watcher() {
        Ok(watcher) => watcher.run(present),
        Err(error) => {
            if let Some(portal) = portal.upgrade() {
                portal.conclude(Err(error));
            }
        }
    }
}
