// What holds for the whole floor and is not seen at any one machine.
import * as api from "./api";
import { AskButton } from "./ask";
import { t } from "./i18n";
import type { Live } from "./live";

/** New orders have stopped before an upgrade; a replica serves that does not lead. */
export function Banners({ live }: { live: Live }) {
  const { drain } = live.floor;
  return (
    <>
      {drain ? (
        <div class="banner" role="status">
          <p>
            <b>{t("No new orders: the controller is being drained.")}</b>{" "}
            {t("{who} asked for it; what runs, runs on.", { who: drain.by })}
          </p>
          <AskButton
            label={t("Offer orders again")}
            done={t("Orders are offered again")}
            right="manage"
            run={() => api.drain(false)}
          >
            {t("Offer orders again")}
          </AskButton>
        </div>
      ) : null}
      {live.standby ? (
        <div class="banner" role="status">
          <p>
            <b>{t("A standby shows this page.")}</b>{" "}
            {t("What you ask for is passed on to the controller that leads; while none leads it is refused.")}
          </p>
        </div>
      ) : null}
    </>
  );
}
