// The public record of the parts made for a need: who asked, why it was made, how, of what, by whom.
import type { ComponentChildren } from "preact";
import { ReadAge } from "./age";
import { span } from "./clock";
import { useFetched } from "./fetched";
import { language, t } from "./i18n";
import type { Live } from "./live";
import { Link, machinePath } from "./router";
import { said } from "./said";
import { Listed, Told, When, Words } from "./told";
import type { LedgerLine, PartStepView, PartView } from "./types";
import { exactGrams, NEED_WORDS, RESULT_WORDS } from "./words";

export default function PartPage({ id, live }: { id: string; live: Live }) {
  const page = useFetched<PartView>(`/api/parts/${encodeURIComponent(id)}`, live.floor.needs[id]);
  const { value } = page;
  if (!value) return <p class={page.error ? "problem" : "reading"}>{page.error || t("Reading…")}</p>;
  const facts: [string, ComponentChildren][] = [
    [t("For"), value.community],
    [t("State"), NEED_WORDS[value.state] ?? value.state],
    [t("Stated"), <Listed key="stated" parts={[<When key="at" at={value.stated_at} />, value.stated_by]} by=", " />],
    [t("Accepted"), value.accepted_at ? <When key="accepted" at={value.accepted_at} /> : undefined],
    [t("Because"), value.accepted_because ? <Told key="because" text={value.accepted_because} /> : undefined],
    [t("Design"), [value.title ?? value.design, value.version].filter(Boolean).join(" ")],
    [t("License"), [value.license, value.licensor].filter(Boolean).join(", ") || undefined],
    [t("Manifest SHA-256"), value.manifest_sha256],
  ];

  return (
    <article class="part-page">
      <section class="panel" aria-labelledby="part-title">
        <h2 id="part-title">
          {value.quantity} × {value.part} <ReadAge readMs={page.readMs} />
        </h2>
        <dl class="facts">
          {facts.map(([name, text]) =>
            text ? (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{text}</dd>
              </div>
            ) : null,
          )}
        </dl>
      </section>
      <section class="panel" aria-labelledby="made-title">
        <h2 id="made-title">{t("How it was made")}</h2>
        {value.steps.length === 0 ? <p class="none">{t("Nothing of it has been made yet.")}</p> : null}
        <ol class="timeline">
          {value.steps.map((step) => (
            <Step key={step.order} step={step} />
          ))}
        </ol>
      </section>
      <Lines title={t("Delivered")} none={t("Nothing has been delivered yet.")} lines={value.delivered} />
      <Lines title={t("Credits")} none={t("Nobody has been credited yet.")} lines={value.credits} />
      <p class="links">
        <a href={`/records/${encodeURIComponent(id)}/label.pdf?lang=${language}`}>{t("Label to print (PDF)")}</a>
        <a href={`/records/${encodeURIComponent(id)}/label.png`}>{t("QR code (PNG)")}</a>
        <a href={`/records/${encodeURIComponent(id)}?lang=${language}`}>{t("What the label leads to")}</a>
        <a href={`/api/records/${encodeURIComponent(id)}`}>{t("This record as JSON")}</a>
      </p>
    </article>
  );
}

function Step({ step }: { step: PartStepView }) {
  const mass = [
    step.measured_mg ? t("{mass} measured", { mass: exactGrams(step.measured_mg) }) : "",
    step.uncertain_mg ? t("{mass} uncertain", { mass: exactGrams(step.uncertain_mg) }) : "",
  ];
  return (
    <li class="op">
      <p class="op-head">
        <b>{step.step}</b>
        <span class="sub">{t("piece {n}", { n: step.unit + 1 })}</span>
        <Link to={machinePath(step.machine)}>{step.machine}</Link>
        <span><Told text={step.words} /></span>
        {step.inspection ? (
          <span class="chip">
            {step.inspection === "good" ? "✓" : "✗"} {RESULT_WORDS[step.inspection] ?? step.inspection}
          </span>
        ) : null}
      </p>
      <p class="sub">
        <Listed
          parts={[
          step.started_at ? <Words text="began {when}" values={{ when: <When at={step.started_at} /> }} /> : "",
          step.run_ms ? t("ran {span}", { span: span(step.run_ms) }) : "",
          ...mass,
          step.tended_by.length ? t("tended by {who}", { who: step.tended_by.join(", ") }) : "",
          step.inspected_by ? t("looked at by {who}", { who: step.inspected_by }) : "",
          step.program_sha256 ? `SHA-256 ${step.program_sha256.slice(0, 12)}…` : "",
          ]}
        />
      </p>
    </li>
  );
}

function Lines({ title, none, lines }: { title: string; none: string; lines: LedgerLine[] }) {
  return (
    <section class="panel" aria-label={title}>
      <h2>{title}</h2>
      {lines.length === 0 ? <p class="none">{none}</p> : null}
      <ol class="events">
        {lines.map((line) => (
          <li key={line.id}>
            <When at={line.happened_at} />
            <span>
              {said(line.provider)} → <b>{said(line.receiver)}</b>{" "}
              {[line.pieces ? t("{n} pcs", { n: line.pieces }) : "", line.mass_mg ? exactGrams(line.mass_mg) : "", said(line.note)]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
