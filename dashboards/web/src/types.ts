// Names for the schemas of the floor's interface; the types themselves are generated from it.
import type { components } from "./api-types";

type Schemas = components["schemas"];
export type FloorDocument = Schemas["FloorDocument"];
export type FloorView = Schemas["FloorView"];
export type MachineView = Schemas["MachineView"];
export type MaterialView = Schemas["MaterialView"];
export type MachineState = MachineView["state"];
export type AttentionView = Schemas["AttentionView"];
export type NeedView = Schemas["NeedView"];
export type StepView = Schemas["StepView"];
export type LotView = Schemas["LotView"];
export type NeedStory = Schemas["NeedStory"];
export type OperationStory = Schemas["OperationStory"];
export type OrderStory = Schemas["OrderStory"];
export type LedgerLine = Schemas["LedgerLine"];
export type AnswerView = Schemas["AnswerView"];
export type NeedsAnswer = Schemas["NeedsAnswer"];
export type ProblemView = Schemas["ProblemView"];
