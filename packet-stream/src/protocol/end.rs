//! One end of a queue: how far its owner has come, how far it may go, and whether the other end must be told.
//!
//! Both ends are the same thing. The producer may put until it is `capacity` ahead of the consumer, the consumer may
//! take until it has caught up with the producer: each has a *limit* that only the other end moves. And each is stuck
//! when its limit is reached. Thus, seen from either end, the other is stuck exactly if our limit lies a whole
//! `capacity` ahead of us: the queue was empty before we put, or full before we took. Those are the edges on which a
//! signal is due.
//!
//! ```text
//!         this end                                the other end, stuck
//!   own count := further (release)          attention := sleeps
//!   fence                                   fence
//!   limit = count before + capacity?        our count moved? go on
//!   the other looks by itself? done         sleep
//!   signal
//! ```
//! If this end reads the other's count as it was before its last move, the other has yet to look at ours after a fence,
//! and sees it; otherwise this end sees the edge. (Genode's packet streams have the same edges.)

use crate::error::Violation;
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// The words of a queue as one end sees them.
#[derive(Clone, Copy)]
pub(crate) struct Counts<'a> {
    /// Written by this end.
    pub(crate) own: &'a AtomicU64,
    /// Written by the other end.
    pub(crate) other: &'a AtomicU64,
}

/// Whom an edge of this end concerns.
#[derive(Clone, Copy)]
pub(crate) struct Observer<'a> {
    /// What the other party attends to.
    pub(crate) attention: &'a AtomicU32,
    /// The flag that says that it looks by itself.
    pub(crate) looks: u32,
}

impl Observer<'_> {
    fn is_looking(&self) -> bool {
        // Relaxed: the value decides only whether to signal; the fence before it gives the order.
        self.attention.load(Ordering::Relaxed) & self.looks != 0
    }
}

/// The private half of one end.
#[derive(Debug)]
pub(crate) struct End {
    capacity: u64,
    /// What is added to the other end's count to get our limit: the capacity for a producer, nothing for a consumer.
    lead: u64,
    /// Which queue, for whoever is told of a violation.
    name: &'static str,
    /// How far we are, published or not.
    own: u64,
    /// How far the other end knows that we are.
    published: u64,
    /// How far we may go, as far as we know. At most `published + capacity`, and it never goes back.
    limit: u64,
    /// An edge was passed, and nobody was told yet.
    noted: bool,
}

impl End {
    /// The end of a new queue that puts into it.
    pub(crate) fn producer(capacity: u32, name: &'static str) -> End {
        End::starting_at(0, capacity, u64::from(capacity), name)
    }

    /// The end of a new queue that takes from it.
    pub(crate) fn consumer(capacity: u32, name: &'static str) -> End {
        End::starting_at(0, capacity, 0, name)
    }

    pub(crate) fn starting_at(start: u64, capacity: u32, lead: u64, name: &'static str) -> End {
        End {
            capacity: capacity.into(),
            lead,
            name,
            own: start,
            published: start,
            limit: start.wrapping_add(lead),
            noted: false,
        }
    }

    /// How many entries may be put or taken at once. If none is known of, shows how far we are, since the other end may
    /// wait for that, and looks at its count.
    #[inline]
    pub(crate) fn ready(&mut self, counts: Counts<'_>, other: Observer<'_>) -> Result<u64, Violation> {
        if self.limit == self.own { self.all_ready(counts, other) } else { Ok(self.known()) }
    }

    /// How many entries may be put or taken at once: shows how far we are, and looks at the other end's count.
    #[inline]
    pub(crate) fn all_ready(&mut self, counts: Counts<'_>, other: Observer<'_>) -> Result<u64, Violation> {
        self.publish(counts, other)?;
        self.look(counts)?;
        Ok(self.known())
    }

    /// How many entries may be put or taken, as far as is known without a look.
    #[inline]
    pub(crate) fn known(&self) -> u64 {
        self.limit.wrapping_sub(self.own)
    }

    /// Whether the other end cannot know yet how far we are.
    #[inline]
    pub(crate) fn is_ahead(&self) -> bool {
        self.own != self.published
    }

    /// Producer: whether the consumer has taken all that it can know of.
    pub(crate) fn is_all_taken(&self, counts: Counts<'_>) -> bool {
        counts.other.load(Ordering::Relaxed) == self.published
    }

    /// Reads the other end's count, once, and believes what can be true.
    fn look(&mut self, counts: Counts<'_>) -> Result<(), Violation> {
        // Acquire: what the other end did with the entries before it moved on; pairs with the release in `publish`.
        let limit = counts.other.load(Ordering::Acquire).wrapping_add(self.lead);
        // Forwards, and not past the entries that we have shown or taken.
        let (known, moved) = (self.limit.wrapping_sub(self.published), limit.wrapping_sub(self.limit));
        if moved > self.capacity - known {
            return Err(Violation::CountJumped { queue: self.name });
        }
        self.limit = limit;
        Ok(())
    }

    /// Goes over one entry, and answers its place. The caller has seen by [`ready`](Self::ready) that there is one, and
    /// touches it before the next [`publish`](Self::publish).
    #[inline]
    pub(crate) fn step(&mut self) -> usize {
        debug_assert_ne!(self.own, self.limit, "nothing is ready");
        // A power of two; counts may come round.
        #[allow(clippy::cast_possible_truncation)] // below the capacity, which came as 32 bits
        let place = (self.own & (self.capacity - 1)) as usize;
        self.own = self.own.wrapping_add(1);
        place
    }

    /// Shows the other end how far we are, and notes whether that was an edge.
    #[inline]
    pub(crate) fn publish(&mut self, counts: Counts<'_>, other: Observer<'_>) -> Result<(), Violation> {
        let before = self.published;
        if self.own == before {
            return Ok(());
        }
        // Release: what we did with the entries before the count; pairs with the acquire in `look`.
        counts.own.store(self.own, Ordering::Release);
        self.published = self.own;
        // Our count before the look at what the other attends to, and at its count: pairs with the fence in `attend`.
        fence(Ordering::SeqCst);
        if !other.is_looking() {
            self.look(counts)?;
            // The other end had come as far as we were, not further (it would have seen what we have just published).
            self.noted |= self.limit == before.wrapping_add(self.capacity);
        }
        Ok(())
    }

    /// Whether an edge was passed since this was last asked, and the other is to be told: not if it looks by itself
    /// meanwhile, since then it looks after what we have published.
    #[inline]
    pub(crate) fn take_edge(&mut self, other: Observer<'_>) -> bool {
        std::mem::take(&mut self.noted) && !other.is_looking()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Both ends of a queue, driven by hand.
    struct Queue {
        put: AtomicU64,
        taken: AtomicU64,
        producer: End,
        consumer: End,
    }

    impl Queue {
        fn new(start: u64, capacity: u32) -> Queue {
            Queue {
                put: AtomicU64::new(start),
                taken: AtomicU64::new(start),
                producer: End::starting_at(start, capacity, capacity.into(), "test"),
                consumer: End::starting_at(start, capacity, 0, "test"),
            }
        }

        /// Puts so many at once; whether that was an edge.
        fn put(&mut self, count: u64) -> bool {
            let counts = Counts { own: &self.put, other: &self.taken };
            step(&mut self.producer, counts, count)
        }

        /// Takes so many at once; whether that was an edge.
        fn take(&mut self, count: u64) -> bool {
            let counts = Counts { own: &self.taken, other: &self.put };
            step(&mut self.consumer, counts, count)
        }
    }

    fn step(end: &mut End, counts: Counts<'_>, count: u64) -> bool {
        let nobody = AtomicU32::new(0);
        let observer = Observer { attention: &nobody, looks: 1 };
        for _ in 0..count {
            assert_ne!(end.ready(counts, observer), Ok(0));
            end.step();
        }
        assert_eq!(end.publish(counts, observer), Ok(()));
        end.take_edge(observer)
    }

    #[test]
    fn edges_are_where_a_queue_was_empty_or_full() {
        for start in [0, u64::MAX - 3] {
            let mut queue = Queue::new(start, 4);
            assert!(queue.put(1), "into an empty queue");
            assert!(!queue.put(2));
            assert!(!queue.put(1), "it is full now");
            assert!(queue.take(1), "from a full queue");
            assert!(!queue.take(1));
            assert!(!queue.put(1));
            assert!(!queue.take(3));
            assert!(queue.put(4), "into an empty queue, and full at once");
            assert!(queue.take(4), "from a full queue, and empty at once");
        }
    }

    #[test]
    fn the_other_end_is_believed_only_what_can_be_true() {
        let mut queue = Queue::new(u64::MAX, 4);
        queue.put(3);
        queue.take(2);
        for put in [6, u64::MAX, 1, u64::MAX / 2] {
            queue.put.store(put, Ordering::Relaxed);
            let counts = Counts { own: &queue.taken, other: &queue.put };
            assert_eq!(queue.consumer.look(counts), Err(Violation::CountJumped { queue: "test" }), "{put}");
        }
    }

    #[test]
    fn a_party_that_looks_by_itself_is_not_told() {
        let mut queue = Queue::new(0, 4);
        let counts = Counts { own: &queue.put, other: &queue.taken };
        let attention = AtomicU32::new(0);
        let observer = Observer { attention: &attention, looks: 2 };
        for (at_publication, at_wakeup, told) in
            [(0, 0, true), (2, 2, false), (0, 2, false), (2, 0, false), (1, 1, true)]
        {
            queue.producer.step();
            attention.store(at_publication, Ordering::Relaxed);
            queue.producer.publish(counts, observer).unwrap();
            attention.store(at_wakeup, Ordering::Relaxed);
            assert_eq!(queue.producer.take_edge(observer), told);
            assert!(!queue.producer.take_edge(observer), "once");
            let taken = queue.put.load(Ordering::Relaxed);
            queue.taken.store(taken, Ordering::Relaxed);
            attention.store(2, Ordering::Relaxed);
            queue.producer.look(counts).unwrap();
        }
    }
}
