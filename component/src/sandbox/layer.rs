//! What a sandbox is made of.

use std::fmt;

/// A layer of a sandbox: something that the kernel may have or lack.
///
/// ```
/// use portcullis_component::sandbox::Layer;
///
/// assert!(Layer::Seccomp.needed(), "nothing runs strictly confined without it");
/// assert!(!Layer::MemoryGroup.needed(), "where the system delegates none, other limits hold");
/// assert_eq!(Layer::View.to_string(), "mount namespace");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layer {
    /// An id that means nothing outside, and no privilege over anything that is outside.
    UserNamespace,
    /// No other process can be named.
    PidNamespace,
    /// No network, not even the loopback of others, and no abstract sockets of others.
    NetworkNamespace,
    /// No System V or POSIX queues and memory of others.
    IpcNamespace,
    /// A host name of its own.
    UtsNamespace,
    /// Mounts of its own: its libraries are all the files that there are.
    View,
    /// Landlock: only its program and its libraries can be opened, only to read and execute; no TCP where the kernel knows
    /// that.
    Landlock,
    /// Landlock's scopes: no abstract sockets of others and no signals to others, once more.
    Scopes,
    /// A list of system calls; the others fail.
    Seccomp,
    /// It becomes one program, and no other later: so the kernel ends it with its parent, whatever it does.
    OneProgram,
    /// All descriptors but the declared ones are closed in one step.
    Descriptors,
    /// A kernel user id that no other process has.
    OwnUser,
    /// A memory group of the kernel, for a limit on all the memory that it uses.
    MemoryGroup,
}

impl Layer {
    /// All of them.
    pub const ALL: [Layer; 13] = [
        Layer::UserNamespace,
        Layer::PidNamespace,
        Layer::NetworkNamespace,
        Layer::IpcNamespace,
        Layer::UtsNamespace,
        Layer::View,
        Layer::Landlock,
        Layer::Scopes,
        Layer::Seccomp,
        Layer::OneProgram,
        Layer::Descriptors,
        Layer::OwnUser,
        Layer::MemoryGroup,
    ];

    /// Whether [`Mode::Strict`](super::Mode::Strict) refuses to run without it. What the others keep out, a needed
    /// layer keeps out as well, or a limit bounds it.
    #[must_use]
    pub fn needed(self) -> bool {
        !matches!(self, Layer::Scopes | Layer::OwnUser | Layer::MemoryGroup)
    }

    /// Its name in one word, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Layer::UserNamespace => "user",
            Layer::PidNamespace => "pid",
            Layer::NetworkNamespace => "net",
            Layer::IpcNamespace => "ipc",
            Layer::UtsNamespace => "uts",
            Layer::View => "mount",
            Layer::Landlock => "landlock",
            Layer::Scopes => "landlock-scopes",
            Layer::Seccomp => "seccomp",
            Layer::OneProgram => "one-program",
            Layer::Descriptors => "descriptors",
            Layer::OwnUser => "own-user",
            Layer::MemoryGroup => "memory-group",
        }
    }

    /// What it keeps a component from.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Layer::UserNamespace => "no privilege over anything outside",
            Layer::PidNamespace => "no other process visible or signalable",
            Layer::NetworkNamespace => "no network",
            Layer::IpcNamespace => "no System V or POSIX queues and memory of others",
            Layer::UtsNamespace => "no change of the host's name",
            Layer::View => "no file but its libraries, no /proc",
            Layer::Landlock => "no file but its program and libraries, a second time",
            Layer::Scopes => "no abstract sockets of others, no signals to others, a second time",
            Layer::Seccomp => "no system call that a component does not need",
            Layer::OneProgram => "no second program, and no life beyond its parent's",
            Layer::Descriptors => "no descriptor but 0 to 3",
            Layer::OwnUser => "no kernel user id that others have",
            Layer::MemoryGroup => "no more memory than its quota, of any kind",
        }
    }

    /// What to do if it is missing.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Layer::UserNamespace | Layer::View => {
                "allow user namespaces: sysctl user.max_user_namespaces above 0, kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for this program, and in a container a seccomp profile that lets them through"
            }
            Layer::PidNamespace | Layer::NetworkNamespace | Layer::IpcNamespace | Layer::UtsNamespace => {
                "raise its sysctl user.max_*_namespaces, or use a kernel with CONFIG_NAMESPACES and this kind of it"
            }
            Layer::Landlock => {
                "use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and name landlock in the boot parameter lsm="
            }
            Layer::Scopes => "use Linux 6.12 or later",
            Layer::Seccomp => "use a kernel with CONFIG_SECCOMP_FILTER",
            Layer::OneProgram => {
                "use Linux 5.5 or later, and in a container one that does not itself listen to system calls (seccomp notification)"
            }
            Layer::Descriptors => "use Linux 5.11 or later",
            Layer::OwnUser => "run as root, or do with one id for all components of a user",
            Layer::MemoryGroup => {
                "delegate a cgroup with the memory controller (systemd: Delegate=memory and DelegateSubgroup=main); until then the limits on address space, file size and descriptors hold"
            }
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::UserNamespace => "user namespace",
            Layer::PidNamespace => "pid namespace",
            Layer::NetworkNamespace => "network namespace",
            Layer::IpcNamespace => "ipc namespace",
            Layer::UtsNamespace => "uts namespace",
            Layer::View => "mount namespace",
            Layer::Landlock => "Landlock",
            Layer::Scopes => "Landlock scopes",
            Layer::Seccomp => "seccomp",
            Layer::OneProgram => "one program",
            Layer::Descriptors => "close_range",
            Layer::OwnUser => "own user id",
            Layer::MemoryGroup => "memory group",
        })
    }
}
