//! What was read from a socket, and where it belongs.

use crate::allowance::Allowance;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::socket;
use crate::wire::control::{Control, Token};
use crate::wire::head::RowName;
use crate::wire::layout::LANES;
use std::os::fd::AsFd;

/// A message that belongs to no call.
#[derive(Debug)]
pub(crate) enum News {
    /// The client's memory and perhaps its bell.
    Hello(PeerDescriptor, Option<PeerDescriptor>),
    /// A portal to what the row names, its socket, whether its holder was greeted, and what he is allowed.
    Open(RowName, PeerDescriptor, bool, Allowance),
    /// From an entrypoint: its name, and its page.
    Greeting(EntrypointId, PeerDescriptor),
    /// From an entrypoint: by what it knows the portal, and the socket of its channel.
    Token(Token, PeerDescriptor),
    /// From an entrypoint: it does not take the portal up.
    Refusal,
}

/// What was read from the socket and not yet asked for.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// What belongs to the message of a lane: the message says of what kind they should be.
    pub(super) carried: [Option<(u32, Vec<PeerDescriptor>)>; LANES],
    pub(super) received: u16,
}

impl Inbox {
    /// Puts a message where it belongs.
    pub(super) fn file(
        &mut self,
        control: Control,
        descriptors: Vec<PeerDescriptor>,
        news: &mut Vec<News>,
    ) -> Result<(), Error> {
        let mut received = descriptors.into_iter();
        match (control, received.next()) {
            (Control::Hello, Some(memory)) => {
                news.push(News::Hello(memory, received.next()));
                Ok(())
            }
            (Control::Open { row, greeted, allowance }, Some(socket)) => {
                news.push(News::Open(row, socket, greeted, allowance));
                Ok(())
            }
            (Control::Descriptors(tag), Some(first)) => {
                let carried = std::iter::once(first).chain(received).collect();
                match self.carried[tag.lane.index()].replace((tag.sequence, carried)) {
                    None => Ok(()),
                    Some(_) => Err(Error::Violation("descriptors came twice for one message")),
                }
            }
            (Control::Greeting(entrypoint), Some(page)) => {
                news.push(News::Greeting(entrypoint, page));
                Ok(())
            }
            (Control::Token(token), Some(socket)) => {
                if !socket::is_portal(socket.as_fd()) {
                    return Err(Error::Violation("the socket of a channel is no connected Unix socket"));
                }
                news.push(News::Token(token, socket));
                Ok(())
            }
            (Control::Refusal, None) => {
                news.push(News::Refusal);
                Ok(())
            }
            (Control::Doorbell | Control::Refusal, _) | (_, None) => {
                Err(Error::Violation("a message came without its descriptor"))
            }
        }
    }
}
