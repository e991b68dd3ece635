//! How large a value can become in a message, where its type tells.

use crate::capability::Capability;
use crate::dataspace::DataspaceCapability;
use crate::signal::SignalCapability;
use portcullis_ipc::MAX_DATA;
use std::marker::PhantomData;

/// A type whose encoding has a known maximum. Interfaces check at compile time that what is known fits.
///
/// It is not needed for a type of your own: without it, too large a value is
/// [`Error::MessageTooLarge`](crate::Error::MessageTooLarge) when it is sent. With it, that is said earlier:
///
/// ```
/// use portcullis_rpc::WireSize;
///
/// struct Point { x: u64, y: u64 }
/// impl WireSize for Point {
///     const BYTES: usize = <(u64, u64)>::BYTES;
/// }
/// assert_eq!(<[Point; 8]>::BYTES, 8 * 20 + 1);
/// ```
pub trait WireSize {
    /// The most that a value takes, in bytes.
    const BYTES: usize;
}

/// What a number of `bits` takes as a varint, in bytes.
const fn varint(bits: usize) -> usize {
    bits.div_ceil(7)
}

macro_rules! sizes {
    ($($type:ty: $bytes:expr),+ $(,)?) => { $(impl WireSize for $type { const BYTES: usize = $bytes; })+ };
}
sizes! {
    (): 0, bool: 1, u8: 1, i8: 1, f32: 4, f64: 8,
    u16: varint(16), u32: varint(32), u64: varint(64), u128: varint(128), usize: varint(64),
    i16: varint(16), i32: varint(32), i64: varint(64), i128: varint(128), isize: varint(64),
    // UTF-8 with its length.
    char: 5,
}

impl<I: ?Sized> WireSize for Capability<I> {
    const BYTES: usize = 1;
}

impl WireSize for SignalCapability {
    const BYTES: usize = 1;
}

impl WireSize for DataspaceCapability {
    const BYTES: usize = 1;
}

impl<T: WireSize> WireSize for Option<T> {
    const BYTES: usize = 1 + T::BYTES;
}

impl<T: WireSize, E: WireSize> WireSize for Result<T, E> {
    const BYTES: usize = 1 + if T::BYTES > E::BYTES { T::BYTES } else { E::BYTES };
}

impl<T: WireSize, const N: usize> WireSize for [T; N] {
    /// With room for a length, which bytes have.
    const BYTES: usize = N * T::BYTES + varint((usize::BITS - N.leading_zeros()) as usize);
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: WireSize),+> WireSize for ($($part,)+) {
            const BYTES: usize = 0 $(+ $part::BYTES)+;
        }
    )+};
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

/// Looks up what is known of a type's size: `Size::<T>::MAX` is `Some` if `T: WireSize`, else, with [`UnknownSize`]
/// in scope, `None`: an inherent constant is found before one of a trait.
#[derive(Debug)]
pub struct Size<T: ?Sized>(PhantomData<T>);

impl<T: WireSize> Size<T> {
    /// The most that a value takes, in bytes.
    pub const MAX: Option<usize> = Some(T::BYTES);
}

/// Says that a type's size is not known.
pub trait UnknownSize {
    /// Not known.
    const MAX: Option<usize> = None;
}

impl<T: ?Sized> UnknownSize for Size<T> {}

/// Whether what is known of the parts of a message fits into one, beside `head` bytes.
#[must_use]
pub const fn fits(head: usize, parts: &[Option<usize>]) -> bool {
    let (mut bytes, mut part) = (head, 0);
    while part < parts.len() {
        if let Some(size) = parts[part] {
            bytes += size;
        }
        part += 1;
    }
    bytes <= MAX_DATA
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of the largest value must be the bound.
    fn assert_exact<T: WireSize + serde::Serialize>(largest: &T) {
        assert_eq!(postcard::to_stdvec(largest).unwrap().len(), T::BYTES, "{}", std::any::type_name::<T>());
    }

    #[test]
    fn the_bounds_are_reached_by_the_largest_values() {
        assert_exact(&());
        assert_exact(&true);
        assert_exact(&(u8::MAX, i8::MIN, f32::MAX, f64::MAX));
        assert_exact(&(u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX));
        assert_exact(&(i16::MIN, i32::MIN, i64::MIN, i128::MIN, isize::MIN));
        assert_exact(&char::MAX);
        assert_exact(&Some(u32::MAX));
        assert_exact(&Ok::<u32, u64>(0).and(Err::<u32, u64>(u64::MAX)));
    }

    #[test]
    fn bytes_have_room_for_their_length() {
        assert_eq!([<[u8; 0]>::BYTES, <[u8; 127]>::BYTES, <[u8; 128]>::BYTES], [0, 128, 130]);
    }

    #[test]
    fn a_size_is_known_or_not() {
        assert_eq!(Size::<u32>::MAX, Some(5));
        assert_eq!(Size::<String>::MAX, None);
        assert!(fits(1, &[Some(1000), None, Some(23)]) && !fits(1, &[Some(1000), None, Some(24)]));
    }
}
