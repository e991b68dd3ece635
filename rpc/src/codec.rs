//! Values in messages: postcard for the bytes, slots for the capabilities.

use crate::bounded;
use crate::error::Error;
use crate::slots::Place;
use portcullis_ipc::MsgBuf;
use postcard::ser_flavors::{self, Flavor};
use serde::{Deserialize, Serialize};
use std::mem::ManuallyDrop;
use thiserror::Error as ThisError;

/// Why a message cannot be decoded: its bytes are no such value, too few or too many, or a capability slot is named
/// twice, or never; or its lists have more than 1,024 elements, which they can have only if these take no bytes, or
/// values are nested more than 64 deep. Which of these it is, is of no use to anybody but an attacker.
///
/// ```
/// use portcullis_rpc::codec::{Malformed, decode, encode};
///
/// let mut message = portcullis_ipc::MsgBuf::new();
/// encode(&(1_u8, 2_u8), &mut message)?;
/// assert_eq!(decode::<u8>(&mut message), Err(Malformed), "a byte is left over");
/// # Ok::<_, portcullis_rpc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[error("the message does not hold such a value")]
pub struct Malformed;

/// Encodes a value into an empty message, in place.
///
/// # Errors
/// [`Error::MessageTooLarge`], [`Error::TooManyCapabilities`] or [`Error::Unencodable`]; the message is as it was.
#[inline]
pub fn encode<T: Serialize + ?Sized>(value: &T, into: &mut MsgBuf) -> Result<(), Error> {
    let place = Place::empty();
    match into.fill(|room| write(value, room)) {
        Ok(()) => Ok(place.empty_into(into)?),
        Err(error) => Err(explain(value, &place, &error)),
    }
}

/// Encodes a value into the room; answers how much of it that took.
#[inline]
fn write<T: Serialize + ?Sized>(value: &T, room: &mut [u8]) -> Result<usize, postcard::Error> {
    let mut serializer = postcard::Serializer { output: Room { room, used: 0 } };
    value.serialize(&mut serializer)?;
    serializer.output.finalize()
}

/// As postcard's `Slice`, but without a call of `memcpy` for the single bytes that most lengths and numbers are.
struct Room<'m> {
    room: &'m mut [u8],
    used: usize,
}

impl Flavor for Room<'_> {
    type Output = usize;

    #[inline]
    fn try_push(&mut self, byte: u8) -> Result<(), postcard::Error> {
        *self.room.get_mut(self.used).ok_or(postcard::Error::SerializeBufferFull)? = byte;
        self.used += 1;
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> Result<(), postcard::Error> {
        match bytes {
            [] => {}
            [byte] => self.try_push(*byte)?,
            _ => {
                let end = self.used.saturating_add(bytes.len());
                let room = self.room.get_mut(self.used..end);
                room.ok_or(postcard::Error::SerializeBufferFull)?.copy_from_slice(bytes);
                self.used = end;
            }
        }
        Ok(())
    }

    #[inline]
    fn finalize(self) -> Result<usize, postcard::Error> {
        Ok(self.used)
    }
}

/// Why a value could not be encoded.
#[cold]
fn explain<T: Serialize + ?Sized>(value: &T, place: &Place, error: &postcard::Error) -> Error {
    match error {
        _ if place.is_overfull() => Error::TooManyCapabilities,
        postcard::Error::SerializeBufferFull => {
            let place = Place::empty();
            match postcard::serialize_with_flavor(value, ser_flavors::Size::default()) {
                Ok(length) => Error::MessageTooLarge { length },
                Err(_) if place.is_overfull() => Error::TooManyCapabilities,
                Err(_) => Error::Unencodable,
            }
        }
        _ => Error::Unencodable,
    }
}

/// Decodes the value that fills a message, and takes its capabilities out; `&str` and `&[u8]` are borrowed from the
/// message.
///
/// # Errors
/// [`Malformed`] if it is not exactly such a value. Capabilities of the message are dropped then.
#[inline]
pub fn decode<'m, T: Deserialize<'m>>(from: &'m mut MsgBuf) -> Result<T, Malformed> {
    let place = Place::of(from);
    let mut deserializer = postcard::Deserializer::from_bytes(from.data());
    // What is dropped by hand, and never while a panic passes, need not lie in memory.
    let value = ManuallyDrop::new(bounded::deserialize(&mut deserializer).map_err(|_| Malformed)?);
    let is_all = matches!(deserializer.finalize(), Ok([])) && place.is_used_up();
    drop(place);
    let value = ManuallyDrop::into_inner(value);
    if is_all { Ok(value) } else { refuse(value) }
}

#[cold]
fn refuse<T>(value: T) -> Result<T, Malformed> {
    drop(value);
    Err(Malformed)
}
