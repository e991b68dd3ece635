//! Which user of the kernel a component is.

use super::birth::Identity;
use rustix::process::Pid;
use rustix::thread::CapabilitySet;
use std::{fs, io};

/// What user and group are called within. Any number but 0 would do, which some programs take for a privilege.
const WITHIN: u32 = 1000;
/// From here on there are user ids that nobody gives to users or containers (systemd's list of ranges has 1879048192 to
/// 2147483647 as unused). To this the number of the process is added, so that no two processes at a time have the same.
const OWN: u32 = 1_879_048_192;

/// As which user of the kernel components run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Each as a user of its own.
    Own,
    /// All as the user that their parent is.
    Parents,
}

impl Owner {
    /// What this process may give. Only who may become any user may.
    pub(crate) fn available() -> Owner {
        let both = CapabilitySet::SETUID | CapabilitySet::SETGID;
        let allowed = rustix::thread::capabilities(None).is_ok_and(|held| held.effective.contains(both));
        if allowed && covers("/proc/self/uid_map") && covers("/proc/self/gid_map") {
            Owner::Own
        } else {
            Owner::Parents
        }
    }

    /// What the child does about it.
    pub(crate) fn identity(self) -> Identity {
        Identity { id: WITHIN, leaves_groups: self == Owner::Own }
    }

    /// Says in the child's user namespace who it is outside.
    pub(crate) fn name(self, child: Pid) -> io::Result<()> {
        let number = child.as_raw_nonzero();
        let (user, group) = match self {
            Owner::Own => {
                let own = OWN + number.get().cast_unsigned();
                (own, own)
            }
            Owner::Parents => (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()),
        };
        if self == Owner::Parents {
            // An ordinary user's child may not leave its groups: being in one can mean having fewer rights.
            fs::write(format!("/proc/{number}/setgroups"), "deny")?;
        }
        fs::write(format!("/proc/{number}/gid_map"), format!("{WITHIN} {group} 1"))?;
        fs::write(format!("/proc/{number}/uid_map"), format!("{WITHIN} {user} 1"))
    }
}

/// Whether the range of user ids exists in our own user namespace.
fn covers(map: &str) -> bool {
    let last = OWN + (1 << 22);
    let covered = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return false;
        };
        first <= u64::from(OWN) && u64::from(last) < first.saturating_add(count)
    };
    fs::read_to_string(map).is_ok_and(|lines| lines.lines().any(covered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Gid, Uid};

    #[test]
    fn an_id_of_its_own_is_given_by_who_may_become_anybody() {
        let root = rustix::process::geteuid() == Uid::ROOT && rustix::process::getegid() == Gid::ROOT;
        assert!(root || Owner::available() == Owner::Parents);
        assert!(!covers("/nonexistent"));
    }
}
