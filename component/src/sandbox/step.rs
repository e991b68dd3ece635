//! What a child does before its program runs, step by step, and how it says which of them failed.

use super::layer::Layer;
use rustix::io::Errno;

/// A step of a child's way into its sandbox, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Wait,
    Session,
    Identity,
    Sources,
    Mounts,
    Root,
    Limits,
    Descriptors,
    Capabilities,
    Bond,
    NoNewPrivileges,
    OneProgram,
    Landlock,
    Seccomp,
    Execute,
    /// The end, of a child that has no program to run.
    Done,
}

impl Step {
    const ALL: [Step; 16] = [
        Step::Wait,
        Step::Session,
        Step::Identity,
        Step::Sources,
        Step::Mounts,
        Step::Root,
        Step::Limits,
        Step::Descriptors,
        Step::Capabilities,
        Step::Bond,
        Step::NoNewPrivileges,
        Step::OneProgram,
        Step::Landlock,
        Step::Seccomp,
        Step::Execute,
        Step::Done,
    ];

    /// The layer that is missing if this step fails; none if that is not for want of one.
    pub(crate) fn layer(self) -> Option<Layer> {
        match self {
            Step::Identity => Some(Layer::UserNamespace),
            Step::Sources | Step::Mounts | Step::Root => Some(Layer::View),
            Step::Descriptors => Some(Layer::Descriptors),
            Step::Capabilities => Some(Layer::UserNamespace),
            Step::NoNewPrivileges | Step::Seccomp => Some(Layer::Seccomp),
            Step::OneProgram => Some(Layer::OneProgram),
            Step::Landlock => Some(Layer::Landlock),
            Step::Wait | Step::Session | Step::Limits | Step::Bond | Step::Execute | Step::Done => None,
        }
    }

    /// What the child was about.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Step::Wait => "waiting for its parent",
            Step::Session => "leaving the group of its parent",
            Step::Identity => "taking on its user id",
            Step::Sources => "finding its libraries",
            Step::Mounts => "mounting its libraries",
            Step::Root => "leaving the files of others",
            Step::Limits => "setting its limits",
            Step::Descriptors => "giving up descriptors",
            Step::Capabilities => "giving up privileges",
            Step::Bond => "binding its life to that of its parent",
            Step::NoNewPrivileges => "forgoing new privileges",
            Step::OneProgram => "forgoing every program but one",
            Step::Landlock => "entering Landlock",
            Step::Seccomp => "installing the filter for system calls",
            Step::Execute => "running its program",
            Step::Done => "reporting",
        }
    }
}

/// The bytes of the question whether the parent is still there; any word is the answer.
pub(crate) const QUESTION: usize = 1;
/// The bytes of a report.
pub(crate) const REPORT: usize = 5;
/// Errors of the kernel have smaller numbers.
const MOST_ERRORS: i32 = 4096;

/// Where a child came to, and why it went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) step: Step,
    /// At the end: that there is nothing more to do.
    pub(crate) reason: Errno,
}

impl Report {
    pub(crate) fn encode(self) -> [u8; REPORT] {
        let [a, b, c, d] = self.reason.raw_os_error().to_le_bytes();
        [self.step as u8, a, b, c, d]
    }

    /// `None` if these are not the bytes of a report.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Report> {
        let &[step, a, b, c, d] = bytes else { return None };
        let step = Step::ALL.into_iter().find(|known| *known as u8 == step)?;
        let reason = i32::from_le_bytes([a, b, c, d]);
        (1..MOST_ERRORS).contains(&reason).then(|| Report { step, reason: Errno::from_raw_os_error(reason) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_what_was_reported() {
        for step in Step::ALL {
            let report = Report { step, reason: Errno::PERM };
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[]), None);
        assert_eq!(Report::decode(&[16, 1, 0, 0, 0]), None);
        assert_eq!(Report::decode(&[0; REPORT]), None);
        assert_eq!(Report::decode(&[0; 6]), None);
    }
}
