//! A hostile peer, made of raw system calls.
//!
//! Nothing here uses the client library. The wire format is written out a second time, from its description and not
//! from its code, so that a villain can also say what the library never would: any state word, any message on the
//! socket, any descriptors beside it.
//!
//! - [`wire`]: the words and bytes of a channel, legal and illegal ones.
//! - [`memory`]: a channel's memory, and the futex in it.
//! - [`socket`]: socket pairs, messages with descriptors, and what a villain does to a shared socket.
//! - [`pipe`]: a pipe that whoever closes waits for.
//! - [`victim`]: an unmodified process, started with a raw socket as its portal.
//! - [`client`]: the client's side of a channel to an honest server.
//! - [`server`]: the server's side of a channel to an honest client.
//! - [`script`]: what a hostile server is told to do instead of answering.
//! - [`service`]: what the honest processes under attack do for their callers.
//! - [`town`]: an honest server under attack, and an honest bystander who calls it all the while.
//!
//! How a villain comes to its connection: it starts the victim itself and keeps the other end of the victim's portal
//! (the *launcher*, which keeps to the rules, since the victim ends with it). Over the launcher's socket it opens
//! further portals to the same server, one for each villain, and one for the bystander, who gets it as an honest
//! capability in an honest call.
// A villain cuts words to their fields on purpose.
#![allow(clippy::cast_possible_truncation)]

pub mod client;
pub mod memory;
pub mod option;
pub mod pipe;
pub mod random;
pub mod script;
pub mod server;
pub mod service;
pub mod socket;
pub mod town;
pub mod victim;
pub mod wire;
