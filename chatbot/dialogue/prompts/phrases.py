"""What Xin says to visitors on its own, by language; a tenant's own words go before these."""

from collections.abc import Mapping
from typing import Literal

Phrase = Literal["no_answer", "offer", "greeting", "thanks", "bye", "closed", "cut", "wordless", "failed"]

_PHRASES: dict[str, dict[Phrase, str]] = {
    "en": {
        "no_answer": "I could not find an answer to that in our documentation.",
        "offer": "Would you like me to pass this on to a person, or open a ticket?",
        "greeting": "Hello! How can I help you?",
        "thanks": "You're welcome! Is there anything else I can help with?",
        "bye": "Goodbye, and take care!",
        "closed": "This conversation is closed. Please start a new one.",
        "cut": "The answer broke off here. This is what our documentation says:",
        "wordless": "I can't look into files or places yet. Please tell me in words what you need.",
        "failed": "Something went wrong on our side and I could not answer. Please ask again in a moment.",
    },
    "fa": {
        "no_answer": "پاسخی برای این پرسش در مستندات ما پیدا نکردم.",
        "offer": "مایلید پرسش شما را به یکی از همکارانم بسپارم یا برایتان تیکت ثبت کنم؟",
        "greeting": "سلام! چطور می‌توانم کمکتان کنم؟",
        "thanks": "خواهش می‌کنم! کار دیگری هست که بتوانم برایتان انجام دهم؟",
        "bye": "خدانگهدار، روز خوبی داشته باشید!",
        "closed": "این گفتگو بسته شده است. لطفاً گفتگوی تازه‌ای آغاز کنید.",
        "cut": "پاسخ در اینجا قطع شد. مستندات ما چنین می‌گویند:",
        "wordless": "هنوز نمی‌توانم فایل یا موقعیت مکانی را بررسی کنم. لطفاً بنویسید چه کمکی لازم دارید.",
        "failed": "از سمت ما خطایی رخ داد و نتوانستم پاسخ بدهم. لطفاً کمی بعد دوباره بپرسید.",
    },
    "es": {
        "no_answer": "No he encontrado una respuesta a eso en nuestra documentación.",
        "offer": "¿Quiere que se lo pase a una persona o que abra un ticket?",
        "greeting": "¡Hola! ¿En qué puedo ayudarle?",
        "thanks": "¡De nada! ¿Puedo ayudarle en algo más?",
        "bye": "¡Hasta luego!",
        "closed": "Esta conversación está cerrada. Por favor, inicie una nueva.",
        "cut": "La respuesta se interrumpió aquí. Esto es lo que dice nuestra documentación:",
        "wordless": "Todavía no puedo ver archivos ni ubicaciones. Por favor, dígame con palabras qué necesita.",
        "failed": "Algo falló por nuestra parte y no pude responder. Por favor, pregunte de nuevo en un momento.",
    },
    "ar": {
        "no_answer": "لم أجد إجابة عن ذلك في وثائقنا.",
        "offer": "هل تريد أن أحيل سؤالك إلى أحد الزملاء أو أن أفتح تذكرة؟",
        "greeting": "مرحبًا! كيف يمكنني مساعدتك؟",
        "thanks": "على الرحب والسعة! هل هناك شيء آخر؟",
        "bye": "إلى اللقاء!",
        "closed": "هذه المحادثة مغلقة. يرجى بدء محادثة جديدة.",
        "cut": "انقطعت الإجابة هنا. هذا ما تقوله وثائقنا:",
        "wordless": "لا أستطيع الاطلاع على الملفات أو المواقع بعد. من فضلك اكتب ما تحتاجه.",
        "failed": "حدث خطأ من جانبنا ولم أتمكن من الإجابة. يرجى السؤال مرة أخرى بعد قليل.",
    },
    "fr": {
        "no_answer": "Je n'ai pas trouvé de réponse à cela dans notre documentation.",
        "offer": "Voulez-vous que je transmette à une personne ou que j'ouvre un ticket ?",
        "greeting": "Bonjour ! Comment puis-je vous aider ?",
        "thanks": "Je vous en prie ! Puis-je vous aider pour autre chose ?",
        "bye": "Au revoir !",
        "closed": "Cette conversation est close. Merci d'en commencer une nouvelle.",
        "cut": "La réponse s'est interrompue ici. Voici ce que dit notre documentation :",
        "wordless": "Je ne peux pas encore lire les fichiers ni les lieux. Dites-moi avec des mots ce qu'il vous faut.",
        "failed": "Une erreur est survenue de notre côté. Merci de reposer la question dans un instant.",
    },
    "de": {
        "no_answer": "Dazu habe ich in unserer Dokumentation keine Antwort gefunden.",
        "offer": "Soll ich Ihre Frage an eine Person weitergeben oder ein Ticket eröffnen?",
        "greeting": "Hallo! Wie kann ich helfen?",
        "thanks": "Gern geschehen! Kann ich sonst noch helfen?",
        "bye": "Auf Wiedersehen!",
        "closed": "Diese Unterhaltung ist geschlossen. Bitte beginnen Sie eine neue.",
        "cut": "Die Antwort brach hier ab. Das steht in unserer Dokumentation:",
        "wordless": "Dateien und Orte kann ich noch nicht ansehen. Bitte schreiben Sie, was Sie brauchen.",
        "failed": "Bei uns ist etwas schiefgegangen, ich konnte nicht antworten. Bitte fragen Sie gleich noch einmal.",
    },
    "pt": {
        "no_answer": "Não encontrei uma resposta para isso na nossa documentação.",
        "offer": "Quer que eu passe a questão a uma pessoa ou abra um ticket?",
        "greeting": "Olá! Como posso ajudar?",
        "thanks": "De nada! Posso ajudar em mais alguma coisa?",
        "bye": "Até logo!",
        "closed": "Esta conversa está encerrada. Por favor, inicie uma nova.",
        "cut": "A resposta foi interrompida aqui. Isto é o que diz a nossa documentação:",
        "wordless": "Ainda não consigo ver arquivos ou locais. Por favor, escreva o que precisa.",
        "failed": "Algo falhou do nosso lado e não pude responder. Por favor, pergunte de novo em instantes.",
    },
    "it": {
        "no_answer": "Non ho trovato una risposta nella nostra documentazione.",
        "offer": "Vuole che passi la domanda a una persona o che apra un ticket?",
        "greeting": "Salve! Come posso aiutarla?",
        "thanks": "Prego! Posso aiutarla in altro?",
        "bye": "Arrivederci!",
        "closed": "Questa conversazione è chiusa. Ne inizi una nuova.",
        "cut": "La risposta si è interrotta qui. Ecco che cosa dice la nostra documentazione:",
        "wordless": "Non posso ancora guardare file o luoghi. Mi dica a parole che cosa le serve.",
        "failed": "Qualcosa è andato storto da parte nostra e non ho potuto rispondere. Riprovi tra un momento.",
    },
    "tr": {
        "no_answer": "Belgelerimizde buna bir yanıt bulamadım.",
        "offer": "Sorunuzu bir çalışanımıza iletmemi ya da bir destek kaydı açmamı ister misiniz?",
        "greeting": "Merhaba! Size nasıl yardımcı olabilirim?",
        "thanks": "Rica ederim! Başka bir konuda yardımcı olabilir miyim?",
        "bye": "Hoşça kalın!",
        "closed": "Bu görüşme kapandı. Lütfen yeni bir görüşme başlatın.",
        "cut": "Yanıt burada kesildi. Belgelerimizde şunlar yazıyor:",
        "wordless": "Henüz dosyalara veya konumlara bakamıyorum. Lütfen neye ihtiyacınız olduğunu yazın.",
        "failed": "Bizim tarafımızda bir sorun oldu ve yanıt veremedim. Lütfen birazdan yeniden sorun.",
    },
    "ru": {
        "no_answer": "Я не нашёл ответа на этот вопрос в нашей документации.",
        "offer": "Передать ваш вопрос сотруднику или создать обращение?",
        "greeting": "Здравствуйте! Чем могу помочь?",
        "thanks": "Пожалуйста! Могу ли я помочь чем-то ещё?",
        "bye": "До свидания!",
        "closed": "Этот диалог закрыт. Пожалуйста, начните новый.",
        "cut": "Ответ здесь прервался. Вот что сказано в нашей документации:",
        "wordless": "Я пока не умею смотреть файлы и места. Пожалуйста, напишите словами, что вам нужно.",
        "failed": "У нас произошла ошибка, и я не смог ответить. Пожалуйста, спросите ещё раз чуть позже.",
    },
}


def phrase(name: Phrase, language: str, own: Mapping[str, str] | None = None) -> str:
    """What is said in a language: the tenant's `own` words for it, else ours, else ours in English."""
    if own and (text := own.get(language) or own.get("")):
        return text
    return _PHRASES.get(language, _PHRASES["en"])[name]
