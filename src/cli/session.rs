use super::arguments::Global;
use super::configuration::{Configuration, Registries};
use super::settings::{Settings, store_path};
use super::{Environment, Failure};
use crate::lock::Upstream;
use crate::store::Store;
use crate::ui::Story;

/// What every command is given.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) environment: Environment,
    pub(super) global: Global,
    pub(super) story: Story,
}

impl Session {
    /// All that the environment and the configuration file say, with the `--mirror` flags before them.
    pub(super) fn settings(&self, mirrors: Vec<(Upstream, String)>) -> Result<Settings, Failure> {
        let events = self.story.events();
        let settings = Settings::resolve(&self.environment, &self.configuration()?, mirrors, events.clone())?;
        settings.warnings.iter().for_each(|warning| events.warning(warning));
        Ok(settings)
    }

    /// What the configuration file says of registries.
    pub(super) fn registries(&self) -> Result<Registries, Failure> {
        Ok(self.configuration()?.registries().clone())
    }

    /// The store.
    pub(super) fn store(&self) -> Result<Store, Failure> {
        let path = store_path(&self.environment, &self.configuration()?)?;
        Ok(Store::open(&path)?)
    }

    fn configuration(&self) -> Result<Configuration, Failure> {
        Configuration::find(self.global.config.as_deref(), &self.environment)
    }
}
