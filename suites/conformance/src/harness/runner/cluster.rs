//! Steps of a case that change the cluster of the proxy.

use super::{Run, Stop};
use crate::cases::case::Step;
use crate::cases::members::Members;
use crate::verdict::Class;
use testbed::targets::{self, Proxy};
use testbed::wire::quoted;

impl Run<'_> {
    /// Changes the cluster, and returns when the proxy says that the change is in force.
    pub(super) async fn rescale(
        &mut self,
        step: &Step,
        to: &Members,
        and: Option<&Members>,
    ) -> Result<(), Stop> {
        let text = match and {
            None => format!("rescale {to}"),
            Some(and) => format!("rescale {to} and {and}"),
        };
        self.note_proxy(&text);
        let addrs = |members| {
            let addrs = self.environment.links_of(members);
            addrs.map_err(|why| Stop::Stuck(why.to_string()))
        };
        let (to, and) = (addrs(to)?, and.map(addrs).transpose()?);
        let proxy = self.proxy()?;
        let rescaled = match and {
            None => proxy.rescale(to).await,
            Some(and) => proxy.rescale_at_once(to, and).await,
        };
        match rescaled {
            Ok(()) => {
                self.note_proxy("rescaled");
                Ok(())
            }
            Err(targets::Error::NotRescaled { why, .. }) => {
                Err(self.broken(step, Class::Refused, format!("{text}, accepted"), why))
            }
            Err(why) => Err(Stop::Stuck(why.to_string())),
        }
    }

    /// Gives the proxy malformed clusters, which it has to refuse.
    pub(super) async fn bad_cluster(&mut self, step: &Step) -> Result<(), Stop> {
        let answers = self.proxy()?.put_malformed().await;
        let answers = answers.map_err(|why| Stop::Stuck(why.to_string()))?;
        for (body, answer) in answers {
            let body = quoted(body.as_bytes());
            self.note_proxy(&format!("cluster {body} answered {}", answer.status));
            if answer.is_success() {
                let expected = format!("cluster {body} refused");
                let got = format!("{} {}", answer.status, answer.body);
                return Err(self.broken(step, Class::Wrong, expected, got));
            }
        }
        Ok(())
    }

    fn proxy(&mut self) -> Result<&mut Proxy, Stop> {
        let foreign = "the cluster changes only of a proxy that the suite started";
        let proxy = self.proxy.as_deref_mut();
        proxy.ok_or_else(|| Stop::Stuck(foreign.to_owned()))
    }
}
