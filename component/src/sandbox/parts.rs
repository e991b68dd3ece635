//! Which layers a sandbox has.

use super::error::Error;
use super::layer::Layer;
use super::owner::Owner;
use super::policy::Mode;
use super::support::{Lack, Support};

/// What a sandbox is made of this time.
pub(crate) struct Parts {
    pub(crate) layers: Vec<Layer>,
    pub(crate) left_out: Vec<Lack>,
}

impl Parts {
    pub(crate) fn of(mode: Mode) -> Result<Parts, Error> {
        if mode == Mode::Strict {
            // Whatever of the others is missing will be refused.
            let dispensable =
                Layer::ALL.into_iter().filter(|layer| !layer.needed() && *layer != Layer::MemoryGroup);
            return Ok(Parts { layers: Layer::ALL.into(), left_out: Lack::among(dispensable)? });
        }
        let support = Support::of_this_system()?;
        let inside = |layer: Layer| support.has(Layer::UserNamespace) || !is_namespace(layer);
        let layers = Layer::ALL.into_iter().filter(|layer| support.has(*layer) && inside(*layer)).collect();
        let lacks = support.lacks().iter().filter(|lack| lack.layer != Layer::MemoryGroup);
        Ok(Parts { layers, left_out: lacks.cloned().collect() })
    }

    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        self.has(Layer::UserNamespace).then(Owner::available)
    }

    pub(crate) fn namespaces(&self) -> libc::c_int {
        [
            (Layer::UserNamespace, libc::CLONE_NEWUSER),
            (Layer::PidNamespace, libc::CLONE_NEWPID),
            (Layer::NetworkNamespace, libc::CLONE_NEWNET),
            (Layer::IpcNamespace, libc::CLONE_NEWIPC),
            (Layer::UtsNamespace, libc::CLONE_NEWUTS),
            (Layer::View, libc::CLONE_NEWNS),
        ]
        .into_iter()
        .filter(|(layer, _)| self.has(*layer))
        .fold(0, |flags, (_, flag)| flags | flag)
    }
}

/// Whether it takes a user namespace to have it.
fn is_namespace(layer: Layer) -> bool {
    matches!(
        layer,
        Layer::PidNamespace
            | Layer::NetworkNamespace
            | Layer::IpcNamespace
            | Layer::UtsNamespace
            | Layer::View
            | Layer::OwnUser
    )
}
