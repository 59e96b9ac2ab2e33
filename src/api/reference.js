// Shows one of the contracts; the others are one choice away.
const names = Object.keys(CONTRACTS);
const asked = new URLSearchParams(location.search).get('contract');
const shown = names.includes(asked) ? asked : names[0];

const choice = document.createElement('select');
choice.id = 'contract';
choice.style.margin = '1em';
for (const name of names) {
    choice.append(new Option(CONTRACTS[name].info.title, name, name === shown, name === shown));
}
// Without the fragment, which names an operation of the contract shown before.
choice.addEventListener('change', () => {
    location.assign(`${location.pathname}?${new URLSearchParams({ contract: choice.value })}`);
});
document.getElementById('ui').before(choice);

// A token may be pasted alone, or with the word before it.
function authorization(value) {
    const text = value.trim().replace(/^bearer\s+(?=(bearer|token)\s)/i, '');
    return /^(bearer|token)\s/i.test(text) ? text : `Token ${text}`;
}

SwaggerUIBundle({
    dom_id: '#ui',
    spec: CONTRACTS[shown],
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
        if (request.headers.Authorization) {
            request.headers.Authorization = authorization(request.headers.Authorization);
        }
        return request;
    },
});
