/** @file A chat model behind an HTTP endpoint, as judges that ask one are given it: no address and no key. */

/** One question: a system message and one of a user. */
export interface ChatRequest {
  model: string;
  system: string;
  user: string;
  /** Left to the endpoint where it is left out. */
  temperature?: number;
  /** Most tokens of the reply. */
  maxTokens: number;
  /** What the endpoint calls that: most read `max_tokens`, some models of OpenAI refuse it. */
  lengthField: 'max_tokens' | 'max_completion_tokens';
  /** Equal questions are asked once, but for those of another number here. */
  round: number;
}

/** What the model said. Plain JSON. */
export interface ChatReply {
  text: string;
  /** It ended at `maxTokens`, not where the model would have. */
  cut: boolean;
  /** The model that the endpoint says it was. */
  model: string | null;
  /** Tokens that the endpoint counted. */
  tokens: { prompt: number; reply: number } | null;
}

/** That there is no reply. */
export interface ChatMissing {
  /** Why, in a few words that are the same for the same cause. */
  missing: string;
  /** Another run may be given one: a budget was reached, the endpoint was overloaded. */
  later: boolean;
}

export interface ChatModel {
  /** The endpoint's URL: in keys and results, since the same name elsewhere may be another model. */
  endpoint: string;
  /**
   * Asks, at a pace that the endpoint bears, again after failures that pass.
   *
   * @throws UserError for what a person must mend: the key, the URL, the name of the model. The signal's reason when aborted.
   */
  complete(request: ChatRequest): Promise<ChatReply | ChatMissing>;
}

/** What one rating costs at most, beside the judged text. */
export interface ChatCost {
  requests: number;
  /** Tokens of all its requests without the judged text, about. */
  promptTokens: number;
  /** How often the judged text is among them. */
  texts: number;
  replyTokens: number;
}
