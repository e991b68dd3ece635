//! Byte strings on the bytes path: a length, and the bytes in one copy, where serde's own way for `Vec<u8>` goes
//! element by element, and for `[u8; N]` ends at 32.
//!
//! Arguments and results of an interface take this path by themselves: `&[u8]`, `Vec<u8>` and `[u8; N]`, in
//! `Option`, `Vec`, tuples and `Result` too. Within a type of your own, ask for it:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Block {
//!     number: u64,
//!     #[serde(with = "portcullis_rpc::bytes")]
//!     content: [u8; 512],
//! }
//! ```

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Encodes a byte string.
///
/// # Errors
/// Those of the serializer.
#[inline]
pub fn serialize<T: ByteString + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(value.as_bytes())
}

/// Decodes a byte string.
///
/// # Errors
/// Those of the deserializer, and if an array does not get exactly as many bytes as it has.
#[inline]
pub fn deserialize<'de, T: FromBytes<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_bytes(BytesVisitor(PhantomData))
}

/// What can be seen as bytes: `&[u8]`, `Vec<u8>`, `[u8; N]`.
pub trait ByteString {
    /// The bytes.
    fn as_bytes(&self) -> &[u8];
}

impl ByteString for &[u8] {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

impl ByteString for Vec<u8> {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> ByteString for [u8; N] {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

/// What can be made of the bytes of a message: `&[u8]`, `Vec<u8>`, `[u8; N]`.
pub trait FromBytes<'de>: Sized {
    /// Takes the bytes, or a copy of them; `None` if they are not as many as it needs.
    fn from_bytes(bytes: &'de [u8]) -> Option<Self>;
}

impl<'de> FromBytes<'de> for &'de [u8] {
    #[inline]
    fn from_bytes(bytes: &'de [u8]) -> Option<Self> {
        Some(bytes)
    }
}

impl FromBytes<'_> for Vec<u8> {
    #[inline]
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl<const N: usize> FromBytes<'_> for [u8; N] {
    #[inline]
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

struct BytesVisitor<T>(PhantomData<T>);

impl<'de, T: FromBytes<'de>> Visitor<'de> for BytesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as many bytes as the type holds")
    }

    #[inline]
    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<T, E> {
        T::from_bytes(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}
