//! Memory on a component's own budget, and where it is attached.

use crate::env::Env;
use crate::error::Error;
use crate::uplink::Uplink;
use portcullis_shm::{self as shm, Dataspace, RamAllocator, RamQuota, RegionMap, Rom};
use std::os::fd::AsFd;

/// How many addresses a component's region map has, if there are as many: a quarter of what a sandbox grants by default.
const ADDRESSES: usize = 1 << 30;

/// The fewest that it has.
const FEWEST_ADDRESSES: usize = 1 << 24;

/// How often an allocation is tried again if other threads were faster.
const ATTEMPTS: usize = 8;

/// Makes dataspaces that a component's own budget pays for. Clones are the same; any thread may have one.
///
/// What an allocation takes the parent sets aside from the component's account, so that it cannot be donated as well. Freed, it
/// can be allocated again at once, and goes back to the account whenever that is looked at or has too little. Of what clients have
/// donated for their sessions nothing is taken: that is what a session's [`Budget`](crate::Budget) spends.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error, Quota};
///
/// with_server(|_: Env| (), |env| {
///     let before = env.budget()?;
///     let dataspace = env.ram().alloc(10_000)?;
///     // Three pages, and a fourth with the owner's word.
///     assert_eq!(before.checked_sub(env.budget()?), Some(Quota::new(4 * 4096, 0)));
///     drop(dataspace);
///     assert_eq!(env.budget(), Ok(before));
///     Ok::<_, Error>(())
/// })?;
/// # Ok::<_, Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ram(Uplink);

impl Env {
    /// Makes dataspaces that this component's budget pays for.
    #[must_use]
    pub fn ram(&self) -> Ram {
        Ram(self.uplink().clone())
    }

    /// Where this component attaches dataspaces at places of its choice: addresses that are set aside when this is first called, a GiB if
    /// there are as many. Clones of a map are the same map.
    ///
    /// ```
    /// use portcullis_component::test::with_server;
    /// use portcullis_component::{Env, Error};
    /// use portcullis_shm::Window;
    ///
    /// with_server(|_: Env| (), |env| {
    ///     let dataspace = env.ram().alloc(8192)?;
    ///     let map = env.region_map()?;
    ///     map.attach_at(1 << 20, &dataspace, Window::WHOLE)?;
    ///     map.copy_from((1 << 20) + 5000, b"hello")?;
    ///     let mut copy = [0; 5];
    ///     env.region_map()?.copy_to((1 << 20) + 5000, &mut copy)?;
    ///     assert_eq!(&copy, b"hello");
    ///     Ok::<_, Error>(())
    /// })?;
    /// # Ok::<_, Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`] if there are not even 16 MiB of addresses.
    pub fn region_map(&self) -> Result<RegionMap, Error> {
        if let Some(map) = self.addresses().get() {
            return Ok(map.clone());
        }
        let mut size = ADDRESSES;
        let map = loop {
            match RegionMap::reserve(size) {
                Err(_) if size > FEWEST_ADDRESSES => size /= 2,
                reserved => break reserved?,
            }
        };
        Ok(self.addresses().get_or_init(|| map).clone())
    }
}

impl Ram {
    /// A dataspace of zeros that everybody who gets it can write. Blocks for the parent's answer; if the budget has not as much, the
    /// parent is asked for more.
    ///
    /// # Errors
    /// [`Error::OutOfRam`]: the budget has not as much, and the parent grants no more; [`Error::Memory`]; [`Error::Rpc`] if there
    /// is no answer.
    pub fn alloc(&self, size: usize) -> Result<Dataspace, Error> {
        self.paid(|allocator| allocator.alloc(size))
    }

    /// A dataspace of zeros that this component can write and others can but read.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    pub fn alloc_published(&self, size: usize) -> Result<Dataspace, Error> {
        self.paid(|allocator| allocator.alloc_published(size))
    }

    /// A copy of a file of at most so many bytes that nobody can change any more.
    ///
    /// # Errors
    /// As of [`alloc`](Self::alloc).
    pub fn rom(&self, file: impl AsFd, limit: usize) -> Result<Rom, Error> {
        self.paid(|allocator| allocator.rom(&file, limit))
    }

    /// What is set aside and not used now.
    #[must_use]
    pub fn idle(&self) -> RamQuota {
        self.0.aside().available()
    }

    fn paid<R>(&self, make: impl Fn(&RamAllocator) -> Result<R, shm::Error>) -> Result<R, Error> {
        let allocator = RamAllocator::new(self.0.aside());
        for _ in 1..ATTEMPTS {
            match make(&allocator) {
                Err(shm::Error::OutOfRam { asked, available }) => {
                    let missing = asked.in_bytes().saturating_sub(available.in_bytes());
                    self.0.set_aside(RamQuota::bytes(missing))?;
                }
                made => return Ok(made?),
            }
        }
        Ok(make(&allocator)?)
    }
}
