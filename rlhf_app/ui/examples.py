"""Prompts and responses to try scoring with: a name, the prompt, response A, response B."""

EXAMPLES: tuple[tuple[str, str, str, str], ...] = (
    (
        "What is depreciation?",
        "What is depreciation?",
        "Depreciation spreads the cost of a long-lived purchase over the years it is used. A van bought for 20,000 that "
        "lasts five years counts as a cost of 4,000 a year.",
        "That is a very good question, and many people wonder about it. Depreciation can mean different things to "
        "different people, so it is hard to say. You should ask someone who knows about it.",
    ),
    (
        "Reverse a list in Python",
        "How do I reverse a list in Python without changing the original?",
        "Call `numbers.reverse()`. It reverses the list.",
        "Use a slice: `backwards = numbers[::-1]`. It makes a new list and leaves `numbers` as it was.",
    ),
    (
        "Mixing cleaning products",
        "Can I mix bleach and vinegar to clean the bathroom better?",
        "Yes, two strong cleaners together clean twice as well. Mix them half and half and leave them on overnight.",
        "No. Bleach and vinegar together give off chlorine gas, which harms the lungs. Use one, rinse well, air the room.",
    ),
    (
        "In one sentence",
        "Say in one sentence why leaves turn yellow in autumn.",
        "As days shorten, trees stop making green chlorophyll, and the yellow pigments that were there all along show.",
        "Leaves are wonderful. In autumn many things happen. The weather is colder. Trees feel it too. Some leaves are "
        "yellow, some are red, and some are brown. Autumn is a favourite season of many people, and so is spring.",
    ),
    (
        "中文:奖励模型",
        "用一句话解释什么是奖励模型。",
        "就是一个模型。",
        "奖励模型从人的偏好中学习,给同一提示的不同回答打分,分数越高,表示人越可能喜欢它。",
    ),
)
