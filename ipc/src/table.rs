//! A table whose names die with what they name: place and generation.
//!
//! slab reuses its keys, and slotmap's versions come round after 2³¹ tenants of one place, which a hostile client
//! reaches in minutes; here a place whose generations are used up is retired.

use crate::wire::head::RowName;

/// A table of `T`s with names that are never used twice.
#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<Place<T>>,
    /// The first free place, [`NONE`] if there is none.
    free: u32,
    used: u32,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Used(T),
    Free { next: u32 },
}

const NONE: u32 = u32::MAX;

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { places: Vec::new(), free: NONE, used: 0 }
    }
}

impl<T> Table<T> {
    /// How many entries there are.
    pub(crate) fn len(&self) -> u32 {
        self.used
    }

    /// How many places there ever were.
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    /// The name that the next entry will have; `None` if there will be none.
    pub(crate) fn next_name(&self) -> Option<RowName> {
        if let Some(place) = self.places.get(self.free as usize) {
            return Some(RowName::new(self.free, place.generation));
        }
        let index = u32::try_from(self.places.len()).ok().filter(|&index| index != NONE)?;
        Some(RowName::new(index, 1))
    }

    /// Adds an entry; `None` if 2³²-1 places are taken or retired. The first of all has the name
    /// [`RowName::FIRST`].
    pub(crate) fn insert(&mut self, value: T) -> Option<RowName> {
        let name = self.next_name()?;
        let content = Content::Used(value);
        match self.places.get_mut(name.index() as usize) {
            Some(place) => {
                if let Content::Free { next } = std::mem::replace(&mut place.content, content) {
                    self.free = next;
                }
            }
            None => self.places.push(Place { generation: name.generation(), content }),
        }
        self.used += 1;
        Some(name)
    }

    /// The entry of that name, if it lives.
    #[inline]
    pub(crate) fn get(&self, name: RowName) -> Option<&T> {
        match self.places.get(name.index() as usize) {
            Some(Place { generation, content: Content::Used(value) }) if *generation == name.generation() => {
                Some(value)
            }
            _ => None,
        }
    }

    /// The entry of that name, if it lives.
    #[inline]
    pub(crate) fn get_mut(&mut self, name: RowName) -> Option<&mut T> {
        match self.places.get_mut(name.index() as usize) {
            Some(Place { generation, content: Content::Used(value) }) if *generation == name.generation() => {
                Some(value)
            }
            _ => None,
        }
    }

    /// Removes the entry of that name, if it lives. The name is dead from now on.
    pub(crate) fn remove(&mut self, name: RowName) -> Option<T> {
        self.get(name)?;
        let place = &mut self.places[name.index() as usize];
        let last = place.generation == u32::MAX;
        let next = if last { NONE } else { self.free };
        let content = std::mem::replace(&mut place.content, Content::Free { next });
        if !last {
            place.generation += 1;
            self.free = name.index();
        }
        self.used -= 1;
        match content {
            Content::Used(value) => Some(value),
            Content::Free { .. } => None,
        }
    }

    /// The name of the entry that is in a place now.
    pub(crate) fn name_at(&self, index: u32) -> Option<RowName> {
        match self.places.get(index as usize)? {
            Place { generation, content: Content::Used(_) } => Some(RowName::new(index, *generation)),
            Place { content: Content::Free { .. }, .. } => None,
        }
    }

    /// All entries with their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RowName, &T)> {
        (0..).zip(&self.places).filter_map(|(index, place)| match &place.content {
            Content::Used(value) => Some((RowName::new(index, place.generation), value)),
            Content::Free { .. } => None,
        })
    }
    /// The bytes that an entry takes.
    #[cfg(test)]
    pub(crate) const fn entry_bytes() -> usize {
        size_of::<Place<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_dies_with_its_entry() {
        let mut table = Table::default();
        let first = table.insert('a').unwrap();
        assert_eq!(first, RowName::FIRST);
        assert_eq!(table.remove(first), Some('a'));
        let second = table.insert('b').unwrap();
        assert_eq!(second.index(), first.index());
        assert_eq!(table.get(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.len(), 1);
        assert_eq!(table.get(second), Some(&'b'));
    }

    #[test]
    fn a_place_without_generations_is_retired() {
        let mut table = Table::default();
        let first = table.insert(1).unwrap();
        table.places[0].generation = u32::MAX;
        let last = RowName::new(first.index(), u32::MAX);
        assert_eq!(table.remove(last), Some(1));
        assert_eq!(table.insert(2).unwrap().index(), 1, "place 0 is never used again");
        assert_eq!(table.get(last), None);
    }
}
