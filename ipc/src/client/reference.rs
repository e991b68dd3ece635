//! References to rows of channels, and what their clones share.

use super::channel::Channel;
use crate::wire::head::RowName;
use std::borrow::Cow;
use std::sync::Arc;

/// A row of a channel, and the grant of it that all clones of this reference share. What a call needs lies in the
/// reference itself, so that a call through one of very many capabilities misses the cache once less.
#[derive(Clone)]
pub(crate) struct RowReference {
    pub(crate) channel: Arc<Channel>,
    pub(crate) row: RowName,
    /// Counts the clones; `None` only while dropping.
    shares: Option<Arc<()>>,
}

impl RowReference {
    /// A reference that holds one grant.
    pub(crate) fn new(channel: Arc<Channel>, row: RowName) -> RowReference {
        RowReference { channel, row, shares: Some(Arc::new(())) }
    }
}

/// A share of a grant without its channel: what a channel holds itself must not keep it alive.
#[derive(Debug)]
pub(crate) struct HeldRow {
    row: RowName,
    shares: Arc<()>,
}

impl HeldRow {
    /// A share of what the reference has.
    pub(crate) fn of(reference: &RowReference) -> Option<HeldRow> {
        Some(HeldRow { row: reference.row, shares: reference.shares.clone()? })
    }

    /// The row, if nobody else has a share of the grant any more: then it is to be released.
    pub(crate) fn into_last(self) -> Option<RowName> {
        Arc::into_inner(self.shares).map(|()| self.row)
    }
}

/// The way to an object, for as long as this lives.
pub(crate) enum Reached<'a> {
    /// Within this process.
    Here(&'a Arc<Channel>, RowName),
    Row(Cow<'a, RowReference>),
}

impl Reached<'_> {
    pub(crate) fn channel(&self) -> &Arc<Channel> {
        match self {
            Reached::Here(channel, _) => channel,
            Reached::Row(reference) => &reference.channel,
        }
    }

    pub(crate) fn row(&self) -> RowName {
        match self {
            Reached::Here(_, row) => *row,
            Reached::Row(reference) => reference.row,
        }
    }

    /// What holds the row, where it is held.
    pub(crate) fn reference(&self) -> Option<&RowReference> {
        match self {
            Reached::Here(..) => None,
            Reached::Row(reference) => Some(reference),
        }
    }
}

impl Drop for RowReference {
    fn drop(&mut self) {
        if self.shares.take().and_then(Arc::into_inner).is_some() {
            self.channel.release(self.row);
        }
    }
}
