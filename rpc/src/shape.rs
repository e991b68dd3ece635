//! How a type is laid out in a message where serde's own way is slow or missing: byte strings.
//!
//! Serde knows `Vec<u8>` and `&[u8]` as sequences and takes them element by element; arrays it knows up to 32
//! elements. The macro sees the types and names a shape for each: [`Bytes`] where there are bytes, [`Plain`] where
//! there are none, and the others for what lies around bytes.

use crate::bytes;
use serde::de::{EnumAccess, Error, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// A value in a shape.
pub struct As<T, S> {
    /// The value itself.
    pub value: T,
    shape: PhantomData<fn() -> S>,
}

impl<T, S> As<T, S> {
    /// The value in the shape `S`.
    #[inline]
    pub fn new(value: T) -> Self {
        As { value, shape: PhantomData }
    }
}

impl<T: fmt::Debug, S> fmt::Debug for As<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A shape in which `T` can be encoded.
pub trait Encode<T: ?Sized> {
    /// Encodes the value.
    ///
    /// # Errors
    /// Those of the serializer.
    fn encode<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A shape from which `T` can be decoded.
pub trait Decode<'de, T> {
    /// Decodes a value.
    ///
    /// # Errors
    /// Those of the deserializer, and if the bytes are no such value.
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

impl<T, S: Encode<T>> Serialize for As<T, S> {
    #[inline]
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        S::encode(&self.value, serializer)
    }
}

impl<'de, T, S: Decode<'de, T>> Deserialize<'de> for As<T, S> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        S::decode(deserializer).map(As::new)
    }
}

/// A part of a value, in a shape.
struct Part<'a, T, S>(&'a T, PhantomData<fn() -> S>);

impl<'a, T, S> Part<'a, T, S> {
    #[inline]
    fn of(value: &'a T) -> Self {
        Part(value, PhantomData)
    }
}

impl<T, S: Encode<T>> Serialize for Part<'_, T, S> {
    #[inline]
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        S::encode(self.0, serializer)
    }
}

/// Serde's own way.
#[derive(Debug)]
pub struct Plain;

impl<T: Serialize + ?Sized> Encode<T> for Plain {
    #[inline]
    fn encode<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Decode<'de, T> for Plain {
    #[inline]
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// A byte string: a length, and the bytes in one copy.
#[derive(Debug)]
pub struct Bytes;

impl<T: bytes::ByteString> Encode<T> for Bytes {
    #[inline]
    fn encode<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(value, serializer)
    }
}

impl<'de, T: bytes::FromBytes<'de>> Decode<'de, T> for Bytes {
    #[inline]
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        bytes::deserialize(deserializer)
    }
}

/// An `Option` whose content has the shape `S`.
#[derive(Debug)]
pub struct Maybe<S>(PhantomData<S>);

impl<T, S: Encode<T>> Encode<Option<T>> for Maybe<S> {
    #[inline]
    fn encode<Z: Serializer>(value: &Option<T>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        value.as_ref().map(Part::<T, S>::of).serialize(serializer)
    }
}

impl<'de, T, S: Decode<'de, T>> Decode<'de, Option<T>> for Maybe<S> {
    #[inline]
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Ok(Option::<As<T, S>>::deserialize(deserializer)?.map(|part| part.value))
    }
}

/// A `Vec` whose elements have the shape `S`.
#[derive(Debug)]
pub struct Each<S>(PhantomData<S>);

impl<T, S: Encode<T>> Encode<Vec<T>> for Each<S> {
    #[inline]
    fn encode<Z: Serializer>(value: &Vec<T>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_seq(value.iter().map(Part::<T, S>::of))
    }
}

impl<'de, T, S: Decode<'de, T>> Decode<'de, Vec<T>> for Each<S> {
    #[inline]
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<As<T, S>>::deserialize(deserializer)?.into_iter().map(|part| part.value).collect())
    }
}

/// A `Result` whose `Ok` has the shape `S`, and whose `Err` serde's own. On the wire it is as serde has it; every answer
/// is one, so it has a short way of its own.
#[derive(Debug)]
pub struct Either<S>(PhantomData<S>);

const RESULT: &str = "Result";
const OK: &str = "Ok";
const ERR: &str = "Err";

impl<T, E: Serialize, S: Encode<T>> Encode<Result<T, E>> for Either<S> {
    #[inline]
    fn encode<Z: Serializer>(value: &Result<T, E>, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match value {
            Ok(value) => serializer.serialize_newtype_variant(RESULT, 0, OK, &Part::<T, S>::of(value)),
            Err(error) => serializer.serialize_newtype_variant(RESULT, 1, ERR, error),
        }
    }
}

impl<'de, T, E: Deserialize<'de>, S: Decode<'de, T>> Decode<'de, Result<T, E>> for Either<S> {
    #[inline]
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Result<T, E>, D::Error> {
        deserializer.deserialize_enum(RESULT, &[OK, ERR], EitherVisitor::<T, E, S>(PhantomData))
    }
}

struct EitherVisitor<T, E, S>(PhantomData<(T, E, S)>);

impl<'de, T, E: Deserialize<'de>, S: Decode<'de, T>> Visitor<'de> for EitherVisitor<T, E, S> {
    type Value = Result<T, E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a result")
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Result<T, E>, A::Error> {
        match data.variant::<u32>()? {
            (0, content) => Ok(Ok(content.newtype_variant::<As<T, S>>()?.value)),
            (1, content) => Ok(Err(content.newtype_variant()?)),
            _ => Err(A::Error::custom("neither Ok nor Err")),
        }
    }
}

/// Tuples of shapes are the shapes of tuples.
macro_rules! tuples {
    ($(($($value:ident $shape:ident $index:tt)+))+) => {$(
        impl<$($value, $shape: Encode<$value>),+> Encode<($($value,)+)> for ($($shape,)+) {
            #[inline]
            fn encode<Z: Serializer>(value: &($($value,)+), serializer: Z) -> Result<Z::Ok, Z::Error> {
                ($(Part::<$value, $shape>::of(&value.$index),)+).serialize(serializer)
            }
        }
        impl<'de, $($value, $shape: Decode<'de, $value>),+> Decode<'de, ($($value,)+)> for ($($shape,)+) {
            #[inline]
            fn decode<Z: Deserializer<'de>>(deserializer: Z) -> Result<($($value,)+), Z::Error> {
                let parts = <($(As<$value, $shape>,)+)>::deserialize(deserializer)?;
                Ok(($(parts.$index.value,)+))
            }
        }
    )+};
}
tuples! {
    (A SA 0)
    (A SA 0 B SB 1)
    (A SA 0 B SB 1 C SC 2)
    (A SA 0 B SB 1 C SC 2 D SD 3)
    (A SA 0 B SB 1 C SC 2 D SD 3 E SE 4)
    (A SA 0 B SB 1 C SC 2 D SD 3 E SE 4 F SF 5)
    (A SA 0 B SB 1 C SC 2 D SD 3 E SE 4 F SF 5 G SG 6)
    (A SA 0 B SB 1 C SC 2 D SD 3 E SE 4 F SF 5 G SG 6 H SH 7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Malformed, decode, encode};
    use portcullis_ipc::MsgBuf;

    type Short = As<Result<Option<u32>, String>, Either<Plain>>;

    #[test]
    fn a_result_is_on_the_wire_as_serde_has_it() {
        for result in [Ok(None), Ok(Some(300)), Err("no".to_owned()), Err(String::new())] {
            let mut message = MsgBuf::new();
            encode(&Short::new(result.clone()), &mut message).unwrap();
            assert_eq!(message.data(), postcard::to_stdvec(&result).unwrap());
            assert_eq!(decode::<Short>(&mut message).unwrap().value, result);
        }
    }

    #[test]
    fn attack_3_a_result_that_is_neither_is_malformed() {
        for bytes in [&[2, 0][..], &[0x80, 0x80, 0], &[0xff, 0xff, 0xff, 0xff, 0x0f, 0], &[]] {
            let mut message = MsgBuf::new();
            message.write(bytes).unwrap();
            assert_eq!(decode::<Short>(&mut message).map(|short| short.value), Err(Malformed), "{bytes:?}");
        }
    }
}
