//! An account that is larger than the machine; alone in its process, whose files are kept small.

use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Without the check the kernel would stop the process at this size, instead of looking for somebody to kill.
const LIMIT: usize = 1 << 20;

#[test]
fn what_the_machine_does_not_have_is_an_error_and_nobody_is_killed_for_it() {
    let limit = Some(LIMIT as u64);
    setrlimit(Resource::Fsize, Rlimit { current: limit, maximum: limit }).expect("less is allowed");
    let account = RamAccount::new(RamQuota::bytes(u64::MAX));
    let allocator = RamAllocator::new(&account);
    for size in [1 << 46, 1 << 50, 1 << 62] {
        assert!(matches!(allocator.alloc(size).map(drop), Err(Error::OutOfMemory { .. })));
        assert!(matches!(allocator.alloc_published(size).map(drop), Err(Error::OutOfMemory { .. })));
    }
    assert_eq!(account.used(), RamQuota::bytes(0));
    assert_eq!(allocator.alloc(LIMIT / 2).map(|dataspace| dataspace.size()), Ok(LIMIT / 2));
}
