//! A limit on what decoding a message can cost.
//!
//! The bytes of a message bound most of it. Not so two things: a list whose elements take no bytes has as many of
//! them as its sender says, and a recursive type takes as much stack as its sender nests values. So a deserializer
//! within this one counts the elements of lists and maps, and the depth.

use portcullis_ipc::MAX_DATA;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::cell::Cell;
use std::fmt;

/// Values within values.
const MOST_NESTED: u8 = 64;

/// What is left of the limits.
#[derive(Clone, Copy)]
struct Limits<'f> {
    /// Elements of lists and maps, in the whole message: no more than there can be that take a byte.
    elements: &'f Cell<usize>,
    depth: u8,
}

impl Limits<'_> {
    /// The limits for what lies within.
    #[inline]
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Limits { depth, ..self })
    }

    /// One element more.
    #[inline]
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.elements.get().checked_sub(1).ok_or_else(|| E::custom("too many elements"))?;
        self.elements.set(left);
        Ok(())
    }
}

/// Decodes a value within the limits.
#[inline]
pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(inner: D) -> Result<T, D::Error> {
    // A list that ends counts as an element more, and has a byte more: its length.
    let elements = Cell::new(MAX_DATA);
    T::deserialize(Bounded { inner, limits: Limits { elements: &elements, depth: MOST_NESTED } })
}

/// Whatever it wraps, within limits: a deserializer, a seed, a visitor, or an access to parts of a value.
struct Bounded<'f, T> {
    inner: T,
    limits: Limits<'f>,
}

/// A visitor or an access whose elements are counted, or not.
struct Parts<'f, T> {
    inner: T,
    limits: Limits<'f>,
    counted: bool,
}

/// Methods for values without parts: as they are.
macro_rules! plain {
    ($($method:ident)+) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )+};
}

impl<'de, 'f, D: Deserializer<'de>> Bounded<'f, D> {
    /// The deserializer, and the visitor for what lies within.
    #[inline]
    fn within<V>(self, inner: V, counted: bool) -> Result<(D, Parts<'f, V>), D::Error> {
        let limits = self.limits.deeper()?;
        Ok((self.inner, Parts { inner, limits, counted }))
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_identifier deserialize_ignored_any deserialize_any
    }

    /// On the wire a character is a string. Postcard is content with the first of several.
    #[inline]
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(OneCharacter(visitor))
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_option(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_newtype_struct(name, visitor)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, true)?;
        inner.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_tuple_struct(name, len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, true)?;
        inner.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_struct(name, fields, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.within(visitor, false)?;
        inner.deserialize_enum(name, variants, visitor)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Parts<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Bounded { inner: deserializer, limits: self.limits })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Bounded { inner: deserializer, limits: self.limits })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Parts { inner: seq, limits: self.limits, counted: self.counted })
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Parts { inner: map, limits: self.limits, counted: self.counted })
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded { inner: data, limits: self.limits })
    }
}

/// Takes a string of one character.
struct OneCharacter<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OneCharacter<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => self.0.visit_char(character),
            _ => Err(E::custom("not one character")),
        }
    }
}

impl<'f, A> Parts<'f, A> {
    /// Counts an element, if they are counted.
    #[inline]
    fn count<E: Error>(&self) -> Result<(), E> {
        if self.counted { self.limits.count() } else { Ok(()) }
    }

    #[inline]
    fn seed<S>(&self, inner: S) -> Bounded<'f, S> {
        Bounded { inner, limits: self.limits }
    }

    /// How many parts to expect: no more than there can be.
    #[inline]
    fn expect(&self, hint: Option<usize>) -> Option<usize> {
        if self.counted { hint.map(|hint| hint.min(self.limits.elements.get())) } else { hint }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Parts<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.count()?;
        let seed = self.seed(seed);
        self.inner.next_element_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.expect(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Parts<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.count()?;
        let seed = self.seed(seed);
        self.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.seed(seed);
        self.inner.next_value_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.expect(self.inner.size_hint())
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded { inner: deserializer, limits: self.limits })
    }
}

impl<'de, 'f, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'f, A> {
    type Error = A::Error;
    type Variant = Bounded<'f, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Bounded<'f, A::Variant>), A::Error> {
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, Bounded { inner: variant, limits: self.limits }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Bounded { inner: seed, limits: self.limits })
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Parts { inner: visitor, limits: self.limits, counted: false })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Parts { inner: visitor, limits: self.limits, counted: false })
    }
}

#[cfg(test)]
mod tests;
